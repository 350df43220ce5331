import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import type { BoundaryRule } from "./boundary-rules.ts";
import { type DhcpBootRow, dhcpBootRows, dhcpSnippetSentences, isOfferRule } from "./dhcp-boot-rows.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import { commentLines, headerSentences, identifier, sentence, toText } from "./rule-text.ts";

/** `PXEClient:Arch:00007`: what the firmware's option 60 begins with. */
function vendorTexts(row: DhcpBootRow): string[] {
  return row.architectures.map((value) => `${row.vendorClass}:Arch:${String(value).padStart(5, "0")}`);
}

function policyName(row: DhcpBootRow, input: ExportInput): string {
  return `${identifier(input, "-", 60)}-${row.name}`;
}

function classLine(type: "Vendor" | "User", name: string, data: string): string {
  return (
    `if (-not (Get-DhcpServerv4Class -Type ${type} | Where-Object Name -eq '${name}')) ` +
    `{ Add-DhcpServerv4Class -Name '${name}' -Type ${type} -Data '${data}' }`
  );
}

function rowLines(row: DhcpBootRow, order: number, input: ExportInput): string[] {
  const scope = input.segment.cidr.address;
  const name = policyName(row, input);
  const isIpxe = row.architectures.length === 0;
  const texts = vendorTexts(row);
  const classes = isIpxe
    ? [classLine("User", "Portolan iPXE", "iPXE")]
    : texts.map((text) => classLine("Vendor", `Portolan ${text}`, text));
  const condition = isIpxe
    ? "-UserClass EQ,'Portolan iPXE'"
    : `-VendorClass EQ,${texts.map((text) => `'Portolan ${text}*'`).join(",")}`;
  const set = (id: number, value: string): string =>
    `Set-DhcpServerv4OptionValue -ScopeId ${scope} -PolicyName '${name}' -OptionId ${id} -Value '${value}'`;
  return [
    `# boot.dhcp: ${row.name} firmware.`,
    ...classes,
    `Remove-DhcpServerv4Policy -ScopeId ${scope} -Name '${name}' -ErrorAction SilentlyContinue`,
    `Add-DhcpServerv4Policy -ScopeId ${scope} -Name '${name}' -ProcessingOrder ${order} -Condition OR ${condition}`,
    ...(row.isUrl ? [] : [set(66, input.serverAddress)]),
    set(67, row.bootFile),
    ...(row.vendorClass === "HTTPClient" ? [set(60, "HTTPClient")] : []),
  ];
}

// The console of Windows Server knows option 60 only once it was defined.
const optionLine =
  "if (-not (Get-DhcpServerv4OptionDefinition -OptionId 60 -ErrorAction SilentlyContinue)) { Add-DhcpServerv4OptionDefinition -Name PXEClient -OptionId 60 -Type String }";

function bootLines(input: ExportInput): string[] {
  return [optionLine, ...dhcpBootRows(input).flatMap((row, index) => rowLines(row, index + 1, input))];
}

function renderMissing(rule: BoundaryRule, input: ExportInput): string[] {
  return isOfferRule(rule)
    ? [
        `# on the Windows DHCP server, as administrator; policies of scope ${input.segment.cidr.address}:`,
        ...bootLines(input),
      ]
    : [];
}

function renderRange({ segment: { name, cidr } }: ExportInput): string[] {
  const mask = Ipv4Address.fromNumber(Ipv4Subnet.mask(cidr.prefixLength));
  return [
    `Add-DhcpServerv4Scope -Name '${sentence(name, 60)}' -StartRange FIRST-ADDRESS -EndRange LAST-ADDRESS -SubnetMask ${mask}`,
  ];
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("#", [
      ...headerSentences(input),
      ...dhcpSnippetSentences,
      "Run as administrator on the Windows DHCP server. Policies of an earlier run are replaced.",
    ]),
    ...bootLines(input),
  ]);
}

export const windowsDhcp: Exporter = {
  title: "Windows DHCP server (PowerShell)",
  device: "dhcp-server",
  fileExtension: "ps1",
  renderLine: () => [],
  renderMissing,
  renderRange,
  render,
  renderRollback: (input) =>
    toText([
      `# Takes back the policies for segment ${sentence(input.segment.name)}; classes stay, other segments may use them.`,
      ...dhcpBootRows(input).map(
        (row) =>
          `Remove-DhcpServerv4Policy -ScopeId ${input.segment.cidr.address} -Name '${policyName(row, input)}' -ErrorAction SilentlyContinue`,
      ),
    ]),
};
