import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { Environment } from "#wire/control/message.ts";

/**
 * Restarts or switches off. In preboot nothing is mounted that needs an orderly end, so the kernel is told directly
 * after a sync; an installed system is asked through its init.
 */
export function changePower(kind: "restart" | "power-off", environment: Environment): void {
  if (environment === "os") {
    const outcome = spawnSync("systemctl", [kind === "restart" ? "reboot" : "poweroff"], {
      stdio: "inherit",
    });
    if (outcome.status === 0) {
      return;
    }
  }
  spawnSync("sync");
  // sysrq: b restarts, o switches off.
  writeFileSync("/proc/sysrq-trigger", kind === "restart" ? "b" : "o");
}
