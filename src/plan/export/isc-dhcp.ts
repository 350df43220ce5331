import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { type DhcpBootRow, dhcpBootRows, dhcpSnippetSentences } from "./dhcp-boot-rows.ts";
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

function render(input: ExportInput): string {
  const { cidr } = input.segment;
  return toText([
    ...commentLines("#", [...headerSentences(input), ...dhcpSnippetSentences]),
    "# Once in the global part of dhcpd.conf:",
    "option portolan-architecture code 93 = unsigned integer 16;",
    "# Between the braces of the segment's own subnet declaration, beside what stands there:",
    `subnet ${cidr.address} netmask ${Ipv4Address.fromNumber(Ipv4Subnet.mask(cidr.prefixLength))} {`,
    ...dhcpBootRows(input).flatMap((row, index) => rowLines(row, index, input)),
    "  }",
    "}",
  ]);
}

export const iscDhcp: Exporter = {
  title: "ISC DHCP server",
  device: "dhcp-server",
  fileExtension: "conf",
  rollbackExtension: "txt",
  renderLine: () => [],
  render,
  renderRollback: (input) =>
    toText([
      `# Remove from the subnet of segment ${sentence(input.segment.name)} the lines from "if option user-class" to its last brace,`,
      "# and the definition of portolan-architecture.",
    ]),
};
