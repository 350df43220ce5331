import { type DhcpBootRow, dhcpBootRows, dhcpSnippetSentences } from "./dhcp-boot-rows.ts";
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

function render(input: ExportInput): string {
  return toText([
    ...commentLines("#", [
      ...headerSentences(input),
      ...dhcpSnippetSentences,
      `The dhcp-range of this segment gets the tag: dhcp-range=set:${identifier(input, "-", 60)},FIRST,LAST,...`,
    ]),
    ...dhcpBootRows(input).flatMap((row) => rowLines(row, input)),
  ]);
}

export const dnsmasq: Exporter = {
  title: "dnsmasq as DHCP server",
  device: "dhcp-server",
  fileExtension: "conf",
  rollbackExtension: "txt",
  renderLine: () => [],
  render,
  renderRollback: (input) =>
    toText([
      `# Remove the file of segment ${sentence(input.segment.name)} from /etc/dnsmasq.d and the tag ${identifier(input, "-", 60)} from its dhcp-range,`,
      "# then restart dnsmasq.",
    ]),
};
