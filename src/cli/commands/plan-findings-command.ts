import type { FindingResource } from "#api/verify-api.ts";
import { apiCommand } from "../cli-context.ts";
import { printable } from "../printable-text.ts";

export function formatFinding(finding: FindingResource): string {
  const { kind, severity, subject, computerId, evidence, cause, remedy, seenCount } = finding;
  const who =
    subject.type === "segment"
      ? `segment ${printable(subject.name)}`
      : `computer ${computerId ?? subject.mac}`;
  const lastSeen = new Date(finding.lastSeenAt).toISOString();
  return [
    `${severity}  ${kind}  ${who}`,
    `  seen    ${printable(evidence)}`,
    `          ${seenCount} time${seenCount === 1 ? "" : "s"}, last ${lastSeen}`,
    `  cause   ${printable(cause)}`,
    ...(remedy === null
      ? []
      : remedy
          .split("\n")
          .map((line, index) => `${index === 0 ? "  remedy  " : "          "}${printable(line)}`)),
  ].join("\n");
}

export const planFindingsCommand = apiCommand({
  brief: "What is wrong with segments and computers, with evidence and remedy",
  run: async ({ client }) => {
    const findings = await client.call("listFindings");
    const text =
      findings.length === 0 ? "nothing wrong has been seen" : findings.map(formatFinding).join("\n\n");
    return { json: findings, text };
  },
});
