import type { BoundaryRule } from "./boundary-rules.ts";
import type { ExportInput } from "./exporter.ts";

/**
 * What a DHCP server must say to each kind of firmware when it names the boot program itself. That is the second best
 * way: beside a relay that also reaches us nothing needs to be said, and Secure Boot works as well.
 */
export type DhcpBootRow = {
  readonly name: string;
  /** What this firmware says in option 60. */
  readonly vendorClass: "PXEClient" | "HTTPClient";
  /** Numbers of option 93; empty for iPXE, which is told by its user class. */
  readonly architectures: readonly number[];
  /** A file name for TFTP, or an absolute URL. */
  readonly bootFile: string;
  readonly isUrl: boolean;
};

/** iPXE comes first: it also has the architecture of the firmware it was started from. */
export function dhcpBootRows(input: ExportInput): DhcpBootRow[] {
  const files = `http://${input.serverAddress}:${input.httpPort}/boot`;
  return [
    {
      name: "ipxe",
      vendorClass: "PXEClient",
      architectures: [],
      // iPXE puts its own values in before it asks.
      bootFile: `${files}/script.ipxe?mac=\${netX/mac}&uuid=\${uuid}`,
      isUrl: true,
    },
    {
      name: "bios",
      vendorClass: "PXEClient",
      architectures: [0],
      bootFile: "undionly.kpxe",
      isUrl: false,
    },
    // 7 and 9 both mean x64 UEFI: RFC 4578 printed them the wrong way round.
    {
      name: "uefi-x64",
      vendorClass: "PXEClient",
      architectures: [7, 9],
      bootFile: "snponly.efi",
      isUrl: false,
    },
    {
      name: "uefi-x64-http",
      vendorClass: "HTTPClient",
      architectures: [16],
      bootFile: `${files}/snponly.efi`,
      isUrl: true,
    },
  ];
}

/** What a DHCP server says stands in for our own offer, so it mends these two. */
export function isOfferRule({ flowId }: BoundaryRule): boolean {
  return flowId === "boot.dhcp" || flowId === "boot.dhcp-reply";
}

/** When each of these files is wanted, and when not. */
export const dhcpSnippetSentences: readonly string[] = [
  "Only where the relay of the segment cannot have our address as a second helper. With it, leave your DHCP server",
  "alone: we answer beside it and lease nothing. Do not use both; computers would hear two opinions.",
];
