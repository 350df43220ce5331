import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule } from "../export/boundary-rules.ts";
import type { ExportInput } from "../export/exporter.ts";
import { exporters, type ExportFormat } from "../export/exporters.ts";
import { type PortSpan, spanText } from "../export/port-spans.ts";
import { identifier, subnetText } from "../export/rule-text.ts";
import type { LintFinding } from "../lint/finding.ts";
import { type ChangeDocument, type DocumentSection, renderHtml, renderMarkdown } from "./change-document.ts";
import { testRows } from "./test-list.ts";

export type BundleFile = { readonly path: string; readonly text: string };

export type BundleInput = {
  readonly serverName: string;
  readonly profile: string;
  readonly productVersion: string;
  /** `2026-11-25`: when it was asked for. */
  readonly date: string;
  /** One for each segment. */
  readonly boundaries: readonly ExportInput[];
  readonly formats: readonly ExportFormat[];
  readonly findings: readonly LintFinding[];
};

function portText(ports: readonly PortSpan[] | null): string {
  return ports === null ? "any" : ports.map((span) => spanText(span)).join(", ");
}

function ruleRow(rule: BoundaryRule): string[] {
  const destination =
    rule.groups.length > 0
      ? rule.groups.join(", ")
      : rule.destination === null
        ? "any"
        : subnetText(rule.destination);
  return [
    rule.id,
    rule.transport,
    rule.source === null ? "any" : subnetText(rule.source),
    portText(rule.sourcePorts),
    destination,
    portText(rule.destinationPorts),
    rule.reason,
  ];
}

function segmentTitle({ segment }: ExportInput): string {
  return `${segment.name} (${Ipv4Subnet.format(segment.cidr)})`;
}

function otherLines(input: ExportInput): string[] {
  const isRouted = input.segment.interfaceName === null;
  return [
    ...(isRouted && input.rules.some(({ flowId }) => flowId === "boot.dhcp")
      ? [
          `DHCP relay: the helper addresses of the segment are ${[...input.dhcpServerAddresses, input.serverAddress].join(" and ")}` +
            (input.dhcpServerAddresses.length === 0 ? ", beside your DHCP server's." : "."),
        ]
      : []),
    ...(input.groups.length === 0
      ? []
      : input.multicast === "routed"
        ? [
            `Multicast: ${input.groups.join(", ")} are routed between server and segment; IGMP snooping with a querier in the segment.`,
          ]
        : [`Multicast: ${input.groups.join(", ")} stay in their segments; nothing is routed.`]),
    "Switch ports of computers: edge ports (PortFast), never uplinks.",
  ];
}

function segmentSections(input: ExportInput): DocumentSection[] {
  const headers = ["rule", "protocol", "from", "port", "to", "port", "why"];
  return [
    {
      heading: `Segment ${segmentTitle(input)}`,
      blocks: [
        {
          type: "paragraph",
          text: `What must pass between server ${input.serverName} (${input.serverAddress}) and this segment. Answers to what is allowed pass too; everything else of this pair stays closed, the console of the server included.`,
        },
        { type: "table", headers, rows: input.rules.map(ruleRow) },
        { type: "list", items: otherLines(input) },
      ],
    },
    {
      heading: `Tests for segment ${input.segment.name}`,
      blocks: [
        { type: "commands", lines: [`portolan plan verify --segment ${identifierOf(input)}`] },
        {
          type: "table",
          headers: ["rule", "flow", "expected", "by hand, on a computer of the segment"],
          rows: testRows(input),
        },
      ],
    },
  ];
}

/** For command lines: the name when it is a plain word, otherwise the subnet. */
function identifierOf({ segment }: ExportInput): string {
  return /^[A-Za-z0-9._-]+$/.test(segment.name) ? segment.name : Ipv4Subnet.format(segment.cidr);
}

function documentOf(input: BundleInput): ChangeDocument {
  const notes = input.findings.map(({ severity, what, mend }) => `${severity}: ${what} ${mend}`);
  return {
    title: `Change request: deployment server ${input.serverName}`,
    sections: [
      {
        heading: "What is asked for",
        blocks: [
          {
            type: "paragraph",
            text: `Computers of ${input.boundaries.map(segmentTitle).join(", ")} are booted, imaged and managed by ${input.serverName}. The rules below are all that this needs, computed from the settings that the server's own sockets are opened from: profile ${input.profile}, Portolan ${input.productVersion}, ${input.date}.`,
          },
          {
            type: "list",
            items: [
              "devices/: the same rules as configuration of each kind of device; take yours, leave the others.",
              "rollback/: what takes each of them back.",
              "manifest.json and manifest.sig: every file with its SHA-256, signed by the site's key. Check: portolan plan bundle --check FILE",
            ],
          },
        ],
      },
      ...input.boundaries.flatMap(segmentSections),
      {
        heading: "How to take it back",
        blocks: [
          {
            type: "paragraph",
            text: "Each file below devices/ has one of the same name below rollback/, with another ending where taking back is a script. Nothing but what the first has added is removed.",
          },
        ],
      },
      {
        heading: "Known about these settings",
        blocks: [
          notes.length === 0
            ? { type: "paragraph", text: "Nothing to say." }
            : { type: "list", items: notes },
        ],
      },
    ],
  };
}

function deviceFiles(boundary: ExportInput, formats: readonly ExportFormat[]): BundleFile[] {
  const folder = identifier(boundary, "-", 40)
    .replace(/^portolan-/, "")
    .replace(/-+$/, "");
  return formats.flatMap((format) => {
    const exporter = exporters[format];
    return [
      { path: `devices/${folder}/${format}.${exporter.fileExtension}`, text: exporter.render(boundary) },
      {
        path: `rollback/${folder}/${format}.${exporter.rollbackExtension ?? exporter.fileExtension}`,
        text: exporter.renderRollback(boundary),
      },
    ];
  });
}

/** The files of a change request; manifest and signature are made from their bytes by who has the key. */
export function composeBundle(input: BundleInput): BundleFile[] {
  const document = documentOf(input);
  return [
    { path: "change-request.md", text: renderMarkdown(document) },
    { path: "change-request.html", text: renderHtml(document) },
    ...input.boundaries.flatMap((boundary) => deviceFiles(boundary, input.formats)),
  ];
}
