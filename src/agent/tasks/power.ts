import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Environment } from "#wire/control/message.ts";

type PowerChange = "restart" | "power-off";

/** How an installed system is asked. */
export function powerCommand(
  kind: PowerChange,
  platform: string,
): { readonly program: string; readonly args: readonly string[] } {
  switch (platform) {
    case "win32":
      // Programs that do not answer are ended; nobody may be there to be asked.
      return { program: "shutdown.exe", args: [kind === "restart" ? "/r" : "/s", "/f", "/t", "0"] };
    case "darwin":
      return { program: "/sbin/shutdown", args: [kind === "restart" ? "-r" : "-h", "now"] };
    default:
      return { program: "systemctl", args: [kind === "restart" ? "reboot" : "poweroff"] };
  }
}

/**
 * Restarts or switches off. In preboot nothing is mounted that needs an orderly end, so the kernel is told directly
 * after a sync; an installed system is asked through its init.
 */
export function changePower(kind: PowerChange, environment: Environment): void {
  if (environment === "os") {
    const { program, args } = powerCommand(kind, process.platform);
    const outcome = spawnSync(program, args, { stdio: "inherit" });
    if (outcome.status === 0) {
      return;
    }
    if (process.platform !== "linux") {
      throw new Error(`${program} ${args.join(" ")} ended with ${outcome.status}`);
    }
  }
  spawnSync("sync");
  // sysrq: b restarts, o switches off.
  writeFileSync("/proc/sysrq-trigger", kind === "restart" ? "b" : "o");
}
