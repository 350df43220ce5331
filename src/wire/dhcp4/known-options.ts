import { WireError } from "../bytes/wire-error.ts";
import { printPxeOptions } from "../pxe/print-pxe-options.ts";
import { formatHex, type PrintedField, quoteBytes, quoteText } from "../printing/printed-field.ts";
import { type DhcpOption, type DhcpOptions } from "./dhcp-options.ts";
import { optionCodes } from "./option-codes.ts";
import { readAddressesValue, readAddressValue, readUint16Value, readUint32Value } from "./option-values.ts";
import { decodeClientArchitectures, findClientArchitecture } from "./options/client-architecture.ts";
import { decodeClientIdentifier } from "./options/client-identifier.ts";
import { decodeClientNetworkInterface } from "./options/client-network-interface.ts";
import { decodeClientUuid, formatSystemUuid } from "./options/client-uuid.ts";
import { decodeIpxeOptions, ipxeSubOptionCodes } from "./options/ipxe.ts";
import { decodeMessageType } from "./options/message-type.ts";
import { decodeRelayAgentInformation, relaySubOptionCodes } from "./options/relay-agent-information.ts";
import { vendorClass } from "./options/texts.ts";
import { decodeUserClass } from "./options/user-class.ts";

/** Prints a value. @throws WireError when the value does not have the option's form */
type ValuePrinter = (bytes: Uint8Array) => PrintedField["value"];

export type KnownOption = {
  readonly code: number;
  /** The specification's name. */
  readonly name: string;
  readonly source: string;
  readonly print: ValuePrinter;
};

const address: ValuePrinter = (bytes) => readAddressValue(bytes, "address");
const addresses: ValuePrinter = (bytes) => readAddressesValue(bytes, "addresses").join(", ");
const seconds: ValuePrinter = (bytes) => `${readUint32Value(bytes, "seconds")} s`;
const uint16: ValuePrinter = (bytes) => String(readUint16Value(bytes, "number"));
const text: ValuePrinter = (bytes) => quoteBytes(bytes);
const hex: ValuePrinter = (bytes) => formatHex(bytes);

/** All DHCP options with a name here. Decoder, printer and documents read this one table; others stay bytes. */
export const knownOptions: readonly KnownOption[] = [
  { code: 1, name: "subnet mask", source: "RFC 2132 §3.3", print: address },
  { code: 2, name: "time offset", source: "RFC 2132 §3.4", print: hex },
  { code: 3, name: "router", source: "RFC 2132 §3.5", print: addresses },
  { code: 4, name: "time server", source: "RFC 2132 §3.6", print: addresses },
  { code: 5, name: "name server", source: "RFC 2132 §3.7", print: addresses },
  { code: 6, name: "domain name server", source: "RFC 2132 §3.8", print: addresses },
  { code: 7, name: "log server", source: "RFC 2132 §3.9", print: addresses },
  { code: 12, name: "host name", source: "RFC 2132 §3.14", print: text },
  { code: 13, name: "boot file size", source: "RFC 2132 §3.15", print: uint16 },
  { code: 15, name: "domain name", source: "RFC 2132 §3.17", print: text },
  { code: 17, name: "root path", source: "RFC 2132 §3.19", print: text },
  { code: 18, name: "extensions path", source: "RFC 2132 §3.20", print: text },
  { code: 22, name: "maximum datagram reassembly size", source: "RFC 2132 §4.4", print: uint16 },
  { code: 26, name: "interface MTU", source: "RFC 2132 §5.1", print: uint16 },
  { code: 28, name: "broadcast address", source: "RFC 2132 §5.3", print: address },
  { code: 42, name: "NTP server", source: "RFC 2132 §8.3", print: addresses },
  { code: 43, name: "vendor-specific information", source: "RFC 2132 §8.4", print: hex },
  { code: 50, name: "requested IP address", source: "RFC 2132 §9.1", print: address },
  { code: 51, name: "lease time", source: "RFC 2132 §9.2", print: seconds },
  { code: 53, name: "message type", source: "RFC 2132 §9.6", print: decodeMessageType },
  { code: 54, name: "server identifier", source: "RFC 2132 §9.7", print: address },
  { code: 55, name: "parameter request list", source: "RFC 2132 §9.8", print: (bytes) => bytes.join(", ") },
  { code: 56, name: "message", source: "RFC 2132 §9.9", print: text },
  { code: 57, name: "maximum message size", source: "RFC 2132 §9.10", print: uint16 },
  { code: 58, name: "renewal time", source: "RFC 2132 §9.11", print: seconds },
  { code: 59, name: "rebinding time", source: "RFC 2132 §9.12", print: seconds },
  { code: 60, name: "vendor class", source: "RFC 2132 §9.13", print: text },
  { code: 61, name: "client identifier", source: "RFC 2132 §9.14", print: printClientIdentifier },
  { code: 66, name: "TFTP server name", source: "RFC 2132 §9.4", print: text },
  { code: 67, name: "boot file name", source: "RFC 2132 §9.5", print: text },
  { code: 77, name: "user class", source: "RFC 3004", print: printUserClass },
  { code: 81, name: "client FQDN", source: "RFC 4702", print: hex },
  { code: 82, name: "relay agent information", source: "RFC 3046", print: printRelayAgentInformation },
  { code: 93, name: "client architecture", source: "RFC 4578 §2.1", print: printArchitectures },
  { code: 94, name: "client network interface", source: "RFC 4578 §2.2", print: printNetworkInterface },
  { code: 97, name: "client UUID", source: "RFC 4578 §2.3", print: printUuid },
  { code: 116, name: "auto-configure", source: "RFC 2563", print: hex },
  { code: 118, name: "subnet selection", source: "RFC 3011", print: address },
  { code: 119, name: "domain search", source: "RFC 3397", print: hex },
  { code: 121, name: "classless static routes", source: "RFC 3442", print: hex },
  { code: 124, name: "vendor-identifying vendor class", source: "RFC 3925 §3", print: hex },
  { code: 125, name: "vendor-identifying vendor information", source: "RFC 3925 §4", print: hex },
  { code: 128, name: "PXE 128 (undefined, vendor specific)", source: "RFC 4578 §2.4", print: hex },
  { code: 129, name: "PXE 129 (undefined, vendor specific)", source: "RFC 4578 §2.4", print: hex },
  { code: 130, name: "PXE 130 (undefined, vendor specific)", source: "RFC 4578 §2.4", print: hex },
  { code: 131, name: "PXE 131 (undefined, vendor specific)", source: "RFC 4578 §2.4", print: hex },
  { code: 132, name: "PXE 132 (undefined, vendor specific)", source: "RFC 4578 §2.4", print: hex },
  { code: 133, name: "PXE 133 (undefined, vendor specific)", source: "RFC 4578 §2.4", print: hex },
  { code: 134, name: "PXE 134 (undefined, vendor specific)", source: "RFC 4578 §2.4", print: hex },
  { code: 135, name: "PXE 135 (undefined, vendor specific)", source: "RFC 4578 §2.4", print: hex },
  { code: 150, name: "TFTP server address", source: "RFC 5859", print: addresses },
  { code: 175, name: "iPXE options", source: "ipxe.org/howto/dhcpd", print: printIpxeOptions },
];

/** Key: code. BOUNDED by the rows above. */
const byCode = new Map(knownOptions.map((row) => [row.code, row]));

export function findKnownOption(code: number): KnownOption | undefined {
  return byCode.get(code);
}

/**
 * All options of one message as people read them. Never throws: a value without its option's form is printed as bytes
 * with the reason. Option 43 is taken apart as PXE's when option 60 says so.
 */
export function printOptions(options: DhcpOptions): PrintedField[] {
  const isPxe = vendorClass(options)?.startsWith("PXEClient") ?? false;
  return options.map((option) => {
    const isPxeOption = isPxe && option.code === optionCodes.vendorSpecific;
    const known = findKnownOption(option.code);
    const name = isPxeOption ? "PXE options" : (known?.name ?? "unknown");
    const print = isPxeOption ? printPxeOptions : (known?.print ?? hex);
    return { label: `${option.code} ${name}`, value: printOrExplain(print, option.bytes) };
  });
}

function printOrExplain(print: ValuePrinter, bytes: Uint8Array): PrintedField["value"] {
  try {
    return print(bytes);
  } catch (error) {
    if (error instanceof WireError) {
      return `${formatHex(bytes)} [${error.message}]`;
    }
    throw error;
  }
}

function printClientIdentifier(bytes: Uint8Array): string {
  const identifier = decodeClientIdentifier(bytes);
  const value = formatHex(identifier.bytes).replaceAll(" ", ":");
  if (identifier.type === 1 && identifier.bytes.byteLength === 6) {
    return `Ethernet ${value}`;
  }
  if (identifier.type === 0 && identifier.bytes.byteLength === 16) {
    return `UUID ${formatSystemUuid(identifier.bytes)}`;
  }
  return `type ${identifier.type}, ${formatHex(identifier.bytes)}`;
}

function printUserClass(bytes: Uint8Array): string {
  return decodeUserClass(bytes).map(quoteText).join(", ");
}

function printArchitectures(bytes: Uint8Array): string {
  return decodeClientArchitectures(bytes)
    .map((value) => `${value} ${findClientArchitecture(value)?.name ?? "unknown"}`)
    .join(", ");
}

function printNetworkInterface(bytes: Uint8Array): string {
  const { type, major, minor } = decodeClientNetworkInterface(bytes);
  return `${type === 1 ? "UNDI" : `type ${type}`} ${major}.${minor}`;
}

function printUuid(bytes: Uint8Array): string {
  const uuid = decodeClientUuid(bytes);
  return uuid.type === 0 ? formatSystemUuid(uuid.bytes) : `type ${uuid.type}, ${formatHex(uuid.bytes)}`;
}

function printRelayAgentInformation(bytes: Uint8Array): PrintedField[] {
  const { subOptions } = decodeRelayAgentInformation(bytes);
  const codes = relaySubOptionCodes;
  const isAddress = new Set<number>([codes.linkSelection, codes.serverIdentifierOverride]);
  return printSubOptions(subOptions, codes, (subOption) =>
    isAddress.has(subOption.code) ? address(subOption.bytes) : formatHexAndText(subOption.bytes),
  );
}

function printIpxeOptions(bytes: Uint8Array): PrintedField[] {
  const codes = ipxeSubOptionCodes;
  return printSubOptions(decodeIpxeOptions(bytes), codes, (subOption) =>
    subOption.code === codes.version ? subOption.bytes.join(".") : formatHexAndText(subOption.bytes),
  );
}

/** Rows `code name: value`, the name made from the key of its code: `linkSelection` prints as "link selection". */
function printSubOptions(
  subOptions: readonly DhcpOption[],
  codes: Readonly<Record<string, number>>,
  print: (subOption: DhcpOption) => PrintedField["value"],
): PrintedField[] {
  return subOptions.map((subOption) => {
    const key = Object.entries(codes).find(([, code]) => code === subOption.code)?.[0] ?? "unknown";
    const name = key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    return { label: `${subOption.code} ${name}`, value: print(subOption) };
  });
}

/** Relays and iPXE mix texts and numbers under one code: bytes, and the text when it looks like one. */
function formatHexAndText(bytes: Uint8Array): string {
  const isText = bytes.byteLength > 1 && bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  return isText ? quoteBytes(bytes) : formatHex(bytes);
}
