import type { BoundaryRule } from "../export/boundary-rules.ts";
import type { ExportInput } from "../export/exporter.ts";

/** What somebody without Portolan types on a computer of the segment, where one command can tell. */
function manualTest(rule: BoundaryRule, input: ExportInput): string {
  const server = input.serverAddress;
  const port = rule.destinationPorts[0]?.from ?? 0;
  const isRange = rule.destinationPorts.some(({ from, to }) => from !== to);
  switch (rule.flowId) {
    case "boot.tftp":
      return `curl -o /dev/null tftp://${server}/undionly.kpxe`;
    case "boot.http":
      return `curl -o /dev/null http://${server}:${port}/boot/vmlinuz`;
    case "agent.control":
      return `openssl s_client -connect ${server}:${port} </dev/null`;
    case "boot.dhcp":
    case "boot.dhcp-reply":
      return "start a computer from the network";
    default:
      return rule.transport === "tcp" && !isRange ? `nc -vz ${server} ${port}` : "portolan plan verify";
  }
}

/** One row for each rule: what proves that it is loaded. */
export function testRows(input: ExportInput): string[][] {
  return input.rules.map((rule) => [
    rule.id,
    [rule.flowId, ...rule.alsoFor].join(", "),
    "pass",
    manualTest(rule, input),
  ]);
}
