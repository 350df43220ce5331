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

/**
 * A task at every start, as the system (S-1-5-18), before anybody logs in. Told by words alone, schtasks.exe would end it after
 * 72 hours and not start it on batteries; one that is started again replaces the one that runs, as after an installation.
 */
export function describeWindowsTask([program = "", ...words]: readonly string[]): string {
  const settings = [
    "<MultipleInstancesPolicy>StopExisting</MultipleInstancesPolicy>",
    "<DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>",
    "<StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>",
    "<StartWhenAvailable>true</StartWhenAvailable>",
    "<ExecutionTimeLimit>PT0S</ExecutionTimeLimit>",
    "<RestartOnFailure><Interval>PT1M</Interval><Count>255</Count></RestartOnFailure>",
  ];
  const texts = [...words, "run", "--environment", "os"].map((word) =>
    /\s/.test(word) ? `"${word}"` : word,
  );
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Portolan agent</Description></RegistrationInfo>
  <Triggers><BootTrigger><Enabled>true</Enabled></BootTrigger></Triggers>
  <Principals>
    <Principal id="System"><UserId>S-1-5-18</UserId><RunLevel>HighestAvailable</RunLevel></Principal>
  </Principals>
  <Settings>
${settings.map((line) => `    ${line}`).join("\n")}
  </Settings>
  <Actions Context="System">
    <Exec>
      <Command>"${escapeXml(program)}"</Command>
      <Arguments>${escapeXml(texts.join(" "))}</Arguments>
    </Exec>
  </Actions>
</Task>
`;
}
