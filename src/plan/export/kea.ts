import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule } from "./boundary-rules.ts";
import { type DhcpBootRow, dhcpBootRows, dhcpSnippetSentences, isOfferRule } from "./dhcp-boot-rows.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, headerSentences, identifier, sentence, toText } from "./rule-text.ts";

/** iPXE sends its user class without the length byte of RFC 3004, so the bytes are compared. */
const ipxeTest = "option[77].hex == 'iPXE'";

function testOf(row: DhcpBootRow): string {
  const isKind = `substring(option[60].hex, 0, ${row.vendorClass.length}) == '${row.vendorClass}'`;
  const codes = row.architectures.map(
    (value) => `option[93].hex == 0x${value.toString(16).padStart(4, "0")}`,
  );
  return row.architectures.length === 0
    ? ipxeTest
    : `${isKind} and (${codes.join(" or ")}) and not (${ipxeTest})`;
}

function classLines(row: DhcpBootRow, input: ExportInput, isLast: boolean): string[] {
  const fields = [
    `"name": "${identifier(input, "-", 60)}-${row.name}"`,
    `"test": "${testOf(row)}"`,
    '"only-if-required": true',
    ...(row.isUrl ? [] : [`"next-server": "${input.serverAddress}"`]),
    `"boot-file-name": "${row.bootFile}"`,
    ...(row.vendorClass === "HTTPClient"
      ? ['"option-data": [{ "name": "vendor-class-identifier", "data": "HTTPClient", "always-send": true }]']
      : []),
  ];
  return [
    `      // boot.dhcp: ${row.name} firmware.`,
    "      {",
    ...fields.map((field, index) => `        ${field}${index === fields.length - 1 ? "" : ","}`),
    isLast ? "      }" : "      },",
  ];
}

function classNames(input: ExportInput): string {
  return dhcpBootRows(input)
    .map((row) => `"${identifier(input, "-", 60)}-${row.name}"`)
    .join(", ");
}

function bootLines(input: ExportInput): string[] {
  const rows = dhcpBootRows(input);
  return rows.flatMap((row, index) => classLines(row, input, index === rows.length - 1));
}

function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  return isOfferRule(rule)
    ? [
        '// kea-dhcp4.conf, in "client-classes":',
        ...bootLines(input),
        `// and in "subnet4", in the subnet ${Ipv4Subnet.format(input.segment.cidr)}:`,
        `        "require-client-classes": [${classNames(input)}]`,
      ]
    : [];
}

function renderRange({ segment }: ExportInput): string[] {
  const subnet = Ipv4Subnet.format(segment.cidr);
  return [`{ "subnet": "${subnet}", "pools": [{ "pool": "FIRST-ADDRESS - LAST-ADDRESS" }] }`];
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("//", [
      ...headerSentences(input),
      ...dhcpSnippetSentences,
      "Add the classes to yours, and the last line to the subnet that you have.",
    ]),
    "{",
    '  "Dhcp4": {',
    '    "client-classes": [',
    ...bootLines(input),
    "    ],",
    '    "subnet4": [',
    "      {",
    `        "subnet": "${Ipv4Subnet.format(input.segment.cidr)}",`,
    `        "require-client-classes": [${classNames(input)}]`,
    "      }",
    "    ]",
    "  }",
    "}",
  ]);
}

export const kea: Exporter = {
  title: "Kea DHCP server",
  device: "dhcp-server",
  fileExtension: "json",
  rollbackExtension: "txt",
  renderLine: () => [],
  renderMissing,
  renderRange,
  render,
  renderRollback: (input) =>
    toText([
      `// Remove the client classes whose name starts with ${identifier(input, "-", 60)}-, and their names from`,
      `// require-client-classes of the subnet of segment ${sentence(input.segment.name)}.`,
    ]),
};
