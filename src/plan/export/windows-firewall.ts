import type { BoundaryRule } from "./boundary-rules.ts";
import { spanText } from "./port-spans.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, headerSentences, identifier, ruleLabel, sentence, toText } from "./rule-text.ts";

/** Firmware is not subject to the firewall of an operating system that does not run. */
function isForAgents(rule: BoundaryRule): boolean {
  return !rule.flowId.startsWith("boot.");
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(", ");
}

function portList(ports: BoundaryRule["destinationPorts"]): string {
  return quoted(ports.map((span) => spanText(span)));
}

/** Seen from the computer: what goes to the server leaves, what comes to the segment enters. */
function renderLine(rule: BoundaryRule, input: ExportInput): string[] {
  if (!isForAgents(rule)) {
    return [];
  }
  const isOutbound = rule.direction === "to-server";
  const [local, remote] = isOutbound ? ["-LocalPort", "-RemotePort"] : ["-RemotePort", "-LocalPort"];
  const addresses =
    rule.groups.length === 0
      ? `-RemoteAddress '${input.serverAddress}'`
      : isOutbound
        ? `-RemoteAddress ${quoted(rule.groups)}`
        : `-LocalAddress ${quoted(rule.groups)} -RemoteAddress '${input.serverAddress}'`;
  const sourcePorts = rule.sourcePorts === null ? "" : ` ${local} ${portList(rule.sourcePorts)}`;
  return [
    `New-NetFirewallRule -Name '${identifier(input, "-", 40)} ${rule.id}' -Group 'Portolan ${sentence(input.segment.name, 40)}' ` +
      `-DisplayName '${ruleLabel(rule, 120)}' -Description '${sentence(rule.reason)}' ` +
      `-Direction ${isOutbound ? "Outbound" : "Inbound"} -Action Allow -Protocol ${rule.transport.toUpperCase()} ` +
      `${addresses}${sourcePorts} ${remote} ${portList(rule.destinationPorts)} | Out-Null`,
  ];
}

function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  const lines = renderLine(rule, input);
  return lines.length === 0
    ? []
    : [
        `# on Windows computers of ${sentence(input.segment.name)}, as administrator, or by group policy:`,
        ...lines,
      ];
}

function removeLine(input: ExportInput): string {
  return `Remove-NetFirewallRule -Group 'Portolan ${sentence(input.segment.name, 40)}' -ErrorAction SilentlyContinue`;
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("#", [
      ...headerSentences(input),
      "For Windows computers of this segment that run the agent. Run as administrator; group policy takes the same rules.",
    ]),
    "# What an earlier run has left is replaced.",
    removeLine(input),
    ...input.rules
      .filter(isForAgents)
      .flatMap((rule) => [`# ${sentence(rule.reason)}`, ...renderLine(rule, input)]),
  ]);
}

function renderRollback(input: ExportInput): string {
  return toText([
    `# Takes back Portolan's rules for segment ${sentence(input.segment.name)}.`,
    removeLine(input),
  ]);
}

export const windowsFirewall: Exporter = {
  title: "Windows firewall (PowerShell), on computers with the agent",
  device: "computer",
  fileExtension: "ps1",
  renderLine,
  renderMissing,
  render,
  renderRollback,
};
