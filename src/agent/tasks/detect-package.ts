import { existsSync } from "node:fs";
import { queryCommand } from "#engine/package/package-commands.ts";
import { runProgram } from "#platform/run-program.ts";
import type { DetectionRule, PackageKind } from "#wire/control/os-task-message.ts";
import { readPackageRecord } from "./package-record.ts";

const detectionMs = 60_000;

/** Whether the rule finds the package on this computer. `version` is asked for by rules that know versions. */
export async function isDetected(
  rule: DetectionRule,
  wanted: {
    readonly name: string;
    readonly version: string | null;
    readonly packageKind: PackageKind;
  },
  stateDir: string,
): Promise<boolean> {
  switch (rule.type) {
    case "record": {
      const record = await readPackageRecord(stateDir, wanted.name);
      return record !== null && (wanted.version === null || record.version === wanted.version);
    }
    case "file":
      return existsSync(rule.path);
    case "package": {
      const command = queryCommand(wanted.packageKind, rule.name);
      if (command === null) {
        return false;
      }
      const outcome = await runProgram({ ...command, timeoutMs: detectionMs, outputBytesMax: 1024 });
      const [status, version] = outcome.type === "exited" ? outcome.output.trim().split(" ") : [];
      return status === "installed" && (rule.version === null || rule.version === version);
    }
    case "command": {
      const outcome = await runProgram({
        program: rule.program,
        args: rule.args,
        timeoutMs: detectionMs,
        outputBytesMax: 1024,
      });
      return outcome.type === "exited" && outcome.exitCode === 0;
    }
  }
}

/** Whether a program is on the search path. */
export function hasProgram(name: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(process.platform === "win32" ? ";" : ":");
  return folders.some((folder) => folder !== "" && existsSync(`${folder}/${name}`));
}
