import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule } from "./boundary-rules.ts";
import { type DhcpBootRow, dhcpBootRows, dhcpSnippetSentences, isOfferRule } from "./dhcp-boot-rows.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, headerSentences, sentence, toText } from "./rule-text.ts";

function condition(row: DhcpBootRow): string {
  const codes = row.architectures.map(
    (value) => `option portolan-architecture = 00:${value.toString(16).padStart(2, "0")}`,
  );
  const isKind = `substring(option vendor-class-identifier, 0, ${row.vendorClass.length}) = "${row.vendorClass}"`;
  return row.architectures.length === 0
    ? 'option user-class = "iPXE"'
    : `${isKind} and (${codes.join(" or ")})`;
}

function rowLines(row: DhcpBootRow, index: number, input: ExportInput): string[] {
  return [
    `  # boot.dhcp: ${row.name} firmware.`,
    `  ${index === 0 ? "if" : "} elsif"} ${condition(row)} {`,
    ...(row.vendorClass === "HTTPClient" ? ['    option vendor-class-identifier "HTTPClient";'] : []),
    ...(row.isUrl ? [] : [`    next-server ${input.serverAddress};`]),
    `    filename "${row.bootFile}";`,
  ];
}

function subnetLine({ segment: { cidr } }: ExportInput): string {
  return `subnet ${cidr.address} netmask ${Ipv4Address.fromNumber(Ipv4Subnet.mask(cidr.prefixLength))} {`;
}

const architectureLine = "option portolan-architecture code 93 = unsigned integer 16;";

function bootLines(input: ExportInput): string[] {
  return [...dhcpBootRows(input).flatMap((row, index) => rowLines(row, index, input)), "  }"];
}

function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  return isOfferRule(rule)
    ? [
        "# dhcpd.conf, once in the global part:",
        architectureLine,
        "# and in the declaration of the segment's subnet:",
        subnetLine(input),
        ...bootLines(input),
        "}",
      ]
    : [];
}

function renderRange(input: ExportInput): string[] {
  return [subnetLine(input), "  range FIRST-ADDRESS LAST-ADDRESS;", "}"];
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("#", [...headerSentences(input), ...dhcpSnippetSentences]),
    "# Once in the global part of dhcpd.conf:",
    architectureLine,
    "# Between the braces of the segment's own subnet declaration, beside what stands there:",
    subnetLine(input),
    ...bootLines(input),
    "}",
  ]);
}

export const iscDhcp: Exporter = {
  title: "ISC DHCP server",
  device: "dhcp-server",
  fileExtension: "conf",
  rollbackExtension: "txt",
  renderLine: () => [],
  renderMissing,
  renderRange,
  render,
  renderRollback: (input) =>
    toText([
      `# Remove from the subnet of segment ${sentence(input.segment.name)} the lines from "if option user-class" to its last brace,`,
      "# and the definition of portolan-architecture.",
    ]),
};
