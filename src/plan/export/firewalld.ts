import type { BoundaryRule } from "./boundary-rules.ts";
import { spanText } from "./port-spans.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import {
  destinationsOf,
  headerSentences,
  identifier,
  ruleLabel,
  sentence,
  subnetText,
  toText,
} from "./rule-text.ts";

/** firewalld allows 17 characters. */
function policyName(input: ExportInput): string {
  return identifier(input, "-", 17);
}

/** A rich rule has one port element: the destination's, which is the one that matters to a listener. */
function renderLine(rule: BoundaryRule): string[] {
  if (rule.direction !== "to-server") {
    return [];
  }
  const source = rule.source === null ? "" : `<source address="${subnetText(rule.source)}"/>`;
  return destinationsOf(rule).flatMap((destination) =>
    rule.destinationPorts.map((span) => {
      const to = destination === null ? "" : `<destination address="${subnetText(destination)}"/>`;
      const port = `<port port="${spanText(span)}" protocol="${rule.transport}"/>`;
      return `<rule family="ipv4">${source}${to}${port}<accept/></rule>`;
    }),
  );
}

function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  const lines = renderLine(rule);
  return lines.length === 0
    ? []
    : [
        `<!-- on the server, in /etc/firewalld/policies/${policyName(input)}.xml; then firewall-cmd --reload -->`,
        ...lines,
      ];
}

function render(input: ExportInput): string {
  return toText([
    '<?xml version="1.0" encoding="utf-8"?>',
    "<!--",
    ...headerSentences(input).map((text) => `  ${text.replaceAll("--", "-")}`),
    `  Save on the server as /etc/firewalld/policies/${policyName(input)}.xml, then reload firewalld.`,
    "  What the server sends passes by default. The priority makes firewalld ask this policy before any zone.",
    "-->",
    '<policy priority="-100" target="CONTINUE">',
    `  <short>${policyName(input)}</short>`,
    `  <description>Portolan: flows of segment ${sentence(input.segment.name).replaceAll(/[<&>]/g, " ")} to this server</description>`,
    '  <ingress-zone name="ANY"/>',
    '  <egress-zone name="HOST"/>',
    ...input.rules.flatMap((rule) => {
      const lines = renderLine(rule).map((line) => `  ${line}`);
      return lines.length === 0
        ? []
        : [`  <!-- ${ruleLabel(rule, 120)}. ${sentence(rule.reason).replaceAll("--", "-")} -->`, ...lines];
    }),
    "</policy>",
  ]);
}

function renderRollback(input: ExportInput): string {
  return toText([
    "#!/bin/sh",
    `# Takes back Portolan's policy for segment ${sentence(input.segment.name)}.`,
    `rm -f /etc/firewalld/policies/${policyName(input)}.xml /etc/firewalld/policies/${policyName(input)}.xml.old`,
    "firewall-cmd --reload",
  ]);
}

/** A policy file of its own, so that loading twice is saving twice. */
export const firewalld: Exporter = {
  title: "firewalld, on the server",
  device: "server",
  fileExtension: "xml",
  rollbackExtension: "sh",
  renderLine,
  renderMissing,
  render,
  renderRollback,
};
