/** How the system starts the agent and keeps it running: a file for systemd or launchd, a task for Windows. */

export const unitName = "portolan-agent.service";
export const launchdPath = "Library/LaunchDaemons/org.portolan.agent.plist";
export const windowsTaskName = "Portolan agent";

export function describeUnit(command: string): string {
  return `[Unit]
Description=Portolan agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${command} run --environment os
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** launchd.plist(5) */
export function describeLaunchd(words: readonly string[]): string {
  const strings = [...words, "run", "--environment", "os"]
    .map((word) => `    <string>${escapeXml(word)}</string>`)
    .join("\n");
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>org.portolan.agent</string>
  <key>ProgramArguments</key>
  <array>
${strings}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
</dict>
</plist>
`;
}

/** Arguments of schtasks.exe: at every start, as the system, before anybody logs in. */
export function describeWindowsTask(program: string): readonly string[] {
  const action = `"${program}" run --environment os`;
  return [
    ...["/Create", "/F", "/TN", windowsTaskName, "/SC", "ONSTART"],
    ...["/RU", "SYSTEM", "/RL", "HIGHEST", "/TR", action],
  ];
}
