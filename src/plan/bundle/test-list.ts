import type { BoundaryRule } from "../export/boundary-rules.ts";
import type { FlowId } from "../flow.ts";
import type { ExportInput } from "../export/exporter.ts";

/** What somebody without Portolan types on a computer of the segment, where one command can tell. */
function manualTest(rule: BoundaryRule, input: ExportInput): string {
  const server = input.serverAddress;
  const port = rule.destinationPorts[0]?.from ?? 0;
  const isRange = rule.destinationPorts.some(({ from, to }) => from !== to);
  const byHand: Partial<Record<FlowId, string>> = {
    "boot.tftp": `curl -o /dev/null tftp://${server}/undionly.kpxe`,
    "boot.http": `curl -o /dev/null http://${server}:${port}/boot/vmlinuz`,
    "agent.control": `openssl s_client -connect ${server}:${port} </dev/null`,
    "boot.dhcp": "start a computer from the network",
    "boot.dhcp-reply": "start a computer from the network",
  };
  const connect = rule.transport === "tcp" && !isRange ? `nc -vz ${server} ${port}` : "portolan plan verify";
  return byHand[rule.flowId] ?? connect;
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
