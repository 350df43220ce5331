import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule } from "./boundary-rules.ts";
import { type DhcpBootRow, dhcpBootRows, dhcpSnippetSentences, isOfferRule } from "./dhcp-boot-rows.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, headerSentences, identifier, sentence, toText } from "./rule-text.ts";

function rowLines(row: DhcpBootRow, input: ExportInput): string[] {
  const segmentTag = identifier(input, "-", 60);
  const tag = `portolan-${row.name}`;
  const isIpxe = row.architectures.length === 0;
  const matches = isIpxe
    ? [`dhcp-match=set:${tag},175`]
    : row.architectures.map((value) => `dhcp-match=set:${tag},option:client-arch,${value}`);
  const tags = `tag:${segmentTag},tag:${tag}${isIpxe ? "" : ",tag:!portolan-ipxe"}`;
  return [
    `# boot.dhcp: ${row.name} firmware.`,
    ...matches,
    row.isUrl
      ? `dhcp-boot=${tags},${row.bootFile}`
      : `dhcp-boot=${tags},${row.bootFile},,${input.serverAddress}`,
    ...(row.vendorClass === "HTTPClient" ? [`dhcp-option-force=${tags},60,HTTPClient`] : []),
  ];
}

function bootLines(input: ExportInput): string[] {
  return dhcpBootRows(input).flatMap((row) => rowLines(row, input));
}

function rangeLine(input: ExportInput): string {
  return `dhcp-range=set:${identifier(input, "-", 60)},FIRST-ADDRESS,LAST-ADDRESS`;
}

function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  return isOfferRule(rule)
    ? [
        "# a file in /etc/dnsmasq.d, then restart dnsmasq; the segment's dhcp-range gets the tag:",
        rangeLine(input),
        ...bootLines(input),
      ]
    : [];
}

/** A relayed segment needs its mask said. */
function renderRange(input: ExportInput): string[] {
  return [`${rangeLine(input)},${Ipv4Address.fromNumber(Ipv4Subnet.mask(input.segment.cidr.prefixLength))}`];
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("#", [
      ...headerSentences(input),
      ...dhcpSnippetSentences,
      `The dhcp-range of this segment gets the tag: ${rangeLine(input)},...`,
    ]),
    ...bootLines(input),
  ]);
}

export const dnsmasq: Exporter = {
  title: "dnsmasq as DHCP server",
  device: "dhcp-server",
  fileExtension: "conf",
  rollbackExtension: "txt",
  renderLine: () => [],
  renderMissing,
  renderRange,
  render,
  renderRollback: (input) =>
    toText([
      `# Remove the file of segment ${sentence(input.segment.name)} from /etc/dnsmasq.d and the tag ${identifier(input, "-", 60)} from its dhcp-range,`,
      "# then restart dnsmasq.",
    ]),
};
