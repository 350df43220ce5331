import type { FindingResource } from "#api/plan-lint-api.ts";
import { apiCommand } from "../cli-context.ts";

/** One paragraph for each finding; shared with every command that changes settings. */
export function formatFindings(findings: readonly FindingResource[]): string {
  return findings
    .map(({ severity, what, why, mend }) => `${severity}: ${what}\n    ${why}\n    mend: ${mend}`)
    .join("\n");
}

export const lintCommand = apiCommand({
  brief: "Groups, TTLs, ports and segments that hurt, each with the command that mends it",
  run: async ({ client }) => {
    const findings = await client.call("lintPlan");
    const faultCount = findings.filter(({ severity }) => severity === "fault").length;
    return {
      json: findings,
      text:
        findings.length === 0 ? "nothing to say: no fault, no warning, no note" : formatFindings(findings),
      exitCode: faultCount === 0 ? 0 : 3,
    };
  },
});
