import type { BoundaryRule } from "./boundary-rules.ts";
import { spanText } from "./port-spans.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import {
  commentLines,
  destinationsOf,
  headerSentences,
  identifier,
  ruleLabel,
  sentence,
  subnetText,
  toText,
} from "./rule-text.ts";

/** What comes to the server, and what it sends on its own; ufw tracks connections and lets answers pass. */
function ruleTexts(rule: BoundaryRule): string[] {
  const direction = rule.direction === "to-server" ? "in" : "out";
  const source = rule.source === null ? "any" : subnetText(rule.source);
  const sources =
    rule.sourcePorts === null
      ? [""]
      : [` port ${rule.sourcePorts.map((span) => spanText(span, ":")).join(",")}`];
  const ports = rule.destinationPorts.map((span) => spanText(span, ":"));
  return destinationsOf(rule).flatMap((destination) =>
    sources.map(
      (sourcePort) =>
        `${direction} proto ${rule.transport} from ${source}${sourcePort} ` +
        `to ${destination === null ? "any" : subnetText(destination)} port ${ports.join(",")}`,
    ),
  );
}

function renderLine(rule: BoundaryRule, input: ExportInput): string[] {
  const comment = `${identifier(input, "-", 40)} ${ruleLabel(rule, 120)}`;
  return ruleTexts(rule).map((text) => `ufw allow ${text} comment '${comment}'`);
}

function render(input: ExportInput): string {
  return toText([
    "#!/bin/sh",
    ...commentLines("#", [
      ...headerSentences(input),
      "Run on the server. ufw skips a rule that is there already. It filters the server itself; routers have their own file.",
    ]),
    "set -eu",
    ...input.rules.flatMap((rule) => [`# ${sentence(rule.reason)}`, ...renderLine(rule, input)]),
  ]);
}

function renderRollback(input: ExportInput): string {
  return toText([
    "#!/bin/sh",
    `# Takes back Portolan's rules for segment ${sentence(input.segment.name)}.`,
    ...input.rules.flatMap((rule) => ruleTexts(rule).map((text) => `ufw delete allow ${text} || true`)),
  ]);
}

export const ufw: Exporter = {
  title: "ufw, on the server",
  device: "server",
  fileExtension: "sh",
  renderLine,
  render,
  renderRollback,
};
