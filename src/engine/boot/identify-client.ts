/**
 * Which boot program a network client can run, read from what it says about itself.
 *
 * Architecture numbers are those of the IANA "Processor Architecture Types" registry (RFC 5970 §3.3). RFC 4578
 * printed 7 and 9 the wrong way round until an erratum of 2016, and firmware of both opinions exists, so both
 * mean x64 UEFI.
 */
export type Firmware =
  /** BIOS PXE: gets a network boot program by TFTP. */
  | { readonly type: "bios-pxe" }
  /** x64 UEFI PXE: gets an EFI program by TFTP. */
  | { readonly type: "uefi-x64-pxe" }
  /** x64 UEFI HTTP boot: gets an absolute URL and never a TFTP path. */
  | { readonly type: "uefi-x64-http" }
  /** iPXE, ours or the network card's own: gets a script by URL when it speaks HTTP. */
  | { readonly type: "ipxe"; readonly platform: "bios" | "uefi-x64"; readonly hasHttp: boolean }
  /** Asks to be booted, but we have no program for it. */
  | { readonly type: "unsupported-architecture"; readonly architecture: number }
  /** Asks to be booted and does not say what it is. */
  | { readonly type: "no-architecture" }
  /** An ordinary DHCP client: not our business. */
  | { readonly type: "not-pxe" };

/** What a DHCP packet says about its sender. */
export type ClientWords = {
  /** Option 60 as text, `null` when absent. */
  readonly vendorClass: string | null;
  /** Option 93, in the client's order; empty when absent. */
  readonly architectures: readonly number[];
  /** Option 77. iPXE sends one bare `iPXE` without the length byte that RFC 3004 asks for. */
  readonly userClasses: readonly string[];
  /** Names of the features in option 175, `null` when the option is absent. */
  readonly ipxeFeatures: readonly string[] | null;
};

const biosArchitecture = 0x00;
const uefiPxeArchitectures: readonly number[] = [0x07, 0x09];
const uefiHttpArchitecture = 0x10;

const architectureInVendorClass = /^(?:PXE|HTTP)Client:Arch:(\d{5})/;

/** Reads the client's kind. Pure text and numbers; nothing here trusts a length or an address. */
export function identifyClient(words: ClientWords): Firmware {
  const vendorClass = words.vendorClass ?? "";
  const asksHttp = vendorClass.startsWith("HTTPClient");
  if (!asksHttp && !vendorClass.startsWith("PXEClient")) {
    return { type: "not-pxe" };
  }
  const architectures = architecturesOf(words);
  if (architectures.length === 0) {
    return { type: "no-architecture" };
  }
  if (isIpxe(words)) {
    return identifyIpxe(words, architectures);
  }
  const known = architectures
    .map((value) => firmwareOf(value, asksHttp))
    .find((value) => value !== undefined);
  return known ?? { type: "unsupported-architecture", architecture: architectures[0] ?? 0 };
}

/** Option 93 wins; firmware too old for it says the same in the text of option 60. */
function architecturesOf(words: ClientWords): readonly number[] {
  if (words.architectures.length > 0) {
    return words.architectures;
  }
  const inText = architectureInVendorClass.exec(words.vendorClass ?? "")?.[1];
  return inText === undefined ? [] : [Number(inText)];
}

function firmwareOf(architecture: number, asksHttp: boolean): Firmware | undefined {
  if (asksHttp) {
    return architecture === uefiHttpArchitecture ? { type: "uefi-x64-http" } : undefined;
  }
  if (architecture === biosArchitecture) {
    return { type: "bios-pxe" };
  }
  return uefiPxeArchitectures.includes(architecture) ? { type: "uefi-x64-pxe" } : undefined;
}

function isIpxe(words: ClientWords): boolean {
  return words.userClasses.includes("iPXE") || words.ipxeFeatures !== null;
}

function identifyIpxe(words: ClientWords, architectures: readonly number[]): Firmware {
  const hasHttp = words.ipxeFeatures === null || words.ipxeFeatures.includes("http");
  if (architectures.includes(biosArchitecture)) {
    return { type: "ipxe", platform: "bios", hasHttp };
  }
  const isX64 = architectures.some(
    (value) => uefiPxeArchitectures.includes(value) || value === uefiHttpArchitecture,
  );
  return isX64
    ? { type: "ipxe", platform: "uefi-x64", hasHttp }
    : { type: "unsupported-architecture", architecture: architectures[0] ?? 0 };
}
