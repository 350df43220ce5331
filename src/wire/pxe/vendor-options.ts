import { Ipv4Address } from "../address/ipv4-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";
import type { DhcpOption } from "../dhcp4/dhcp-options.ts";
import {
  checkSize,
  readAddressValue,
  readTextValue,
  readUint8Value,
  textValue,
} from "../dhcp4/option-values.ts";
import { decodeSubOptions, encodeSubOptions } from "../dhcp4/sub-options.ts";

/*
 * Option 43 of a message whose option 60 begins with "PXEClient": sub-options, closed by 255.
 *
 * code size value
 *    1    4 MTFTP group address
 *    2    2 MTFTP client port, little-endian
 *    3    2 MTFTP server port, little-endian
 *    4    1 MTFTP start time-out, s
 *    5    1 MTFTP restart delay, s
 *    6    1 discovery control
 *    7    4 discovery group address
 *    8    n boot servers: {type u16, count u8, count × address}*
 *    9    n boot menu: {type u16, size u8, text}*
 *   10    n menu prompt: seconds u8, text
 *   11    n group address allocation
 *   12    n credential types: u32*
 *   71    4 boot item: type u16, layer u16
 *  255      end
 */

/** Codes of the sub-options. PXE specification 2.1, table 2-1 */
export const pxeSubOptionCodes = {
  mtftpAddress: 1,
  mtftpClientPort: 2,
  mtftpServerPort: 3,
  mtftpTimeout: 4,
  mtftpDelay: 5,
  discoveryControl: 6,
  discoveryAddress: 7,
  bootServers: 8,
  bootMenu: 9,
  menuPrompt: 10,
  multicastAllocation: 11,
  credentialTypes: 12,
  bootItem: 71,
  end: 255,
} as const;

/** Sub-option 6: how a ROM looks for boot servers. Bits 4-7 are zero. */
export type PxeDiscoveryControl = {
  readonly noBroadcast: boolean;
  readonly noMulticast: boolean;
  /** Only servers of sub-option 8. Without that list a ROM stops with an error. */
  readonly onlyListedServers: boolean;
  /** The boot file is in this very message: no discovery, no menu. */
  readonly bootFileInOffer: boolean;
};

/** Types: 0 this network's default, 1-32767 assigned, 32768-65534 for the vendor's own use, 65535 test. */
export type PxeBootServer = { readonly type: number; readonly addresses: readonly Ipv4Address[] };
export type PxeMenuEntry = { readonly type: number; readonly text: string };
/** `seconds` 0 = take the first entry at once, 255 = show the menu and wait. */
export type PxeMenuPrompt = { readonly seconds: number; readonly text: string };
/** `layer` 0 asks for the first file; bit 15 asks for credentials. */
export type PxeBootItem = { readonly type: number; readonly layer: number };

export type PxeOptions = {
  readonly mtftpAddress?: Ipv4Address;
  readonly mtftpClientPort?: number;
  readonly mtftpServerPort?: number;
  readonly mtftpTimeoutSeconds?: number;
  readonly mtftpDelaySeconds?: number;
  readonly discoveryControl?: PxeDiscoveryControl;
  readonly discoveryAddress?: Ipv4Address;
  readonly bootServers?: readonly PxeBootServer[];
  /** The first entry is the default. EDK2 takes up to 24 entries. */
  readonly bootMenu?: readonly PxeMenuEntry[];
  readonly menuPrompt?: PxeMenuPrompt;
  readonly bootItem?: PxeBootItem;
  /** All others as bytes, in order: 11, 12 and what nobody knows. */
  readonly unknown?: readonly DhcpOption[];
};

type Writable = { -readonly [K in keyof PxeOptions]: PxeOptions[K] };

/**
 * Decodes the value of option 43 (long ones already joined). The closing 255 may be missing: many servers forget it.
 *
 * @throws WireError `option-past-end` | `bad-length` | `truncated` | `bad-value` (a sub-option given twice)
 */
export function decodePxeOptions(bytes: Uint8Array): PxeOptions {
  const result: Writable = {};
  const unknown: DhcpOption[] = [];
  const seen = new Set<number>();
  for (const subOption of decodeSubOptions(bytes, { field: "PXE options", hasPadAndEnd: true })) {
    const decode = decoders.get(subOption.code);
    if (decode === undefined) {
      unknown.push(subOption);
      continue;
    }
    if (seen.has(subOption.code)) {
      const detail = `sub-option ${subOption.code} twice`;
      throw new WireError({ code: "bad-value", field: "PXE options", offset: 0, detail });
    }
    seen.add(subOption.code);
    decode(result, subOption.bytes);
  }
  if (unknown.length > 0) {
    result.unknown = unknown;
  }
  return result;
}

/**
 * Encodes the value of option 43 in order of codes, unknown ones after them, closed by 255.
 *
 * @throws WireError `too-long` when a sub-option needs more than 255 bytes
 */
export function encodePxeOptions(options: PxeOptions): Uint8Array {
  const subOptions: DhcpOption[] = [];
  const add = (code: number, bytes: Uint8Array | undefined): void => {
    if (bytes !== undefined) {
      subOptions.push({ code, bytes });
    }
  };
  const codes = pxeSubOptionCodes;
  add(codes.mtftpAddress, address(options.mtftpAddress));
  add(codes.mtftpClientPort, encodeMtftpPort(options.mtftpClientPort));
  add(codes.mtftpServerPort, encodeMtftpPort(options.mtftpServerPort));
  add(codes.mtftpTimeout, byte(options.mtftpTimeoutSeconds));
  add(codes.mtftpDelay, byte(options.mtftpDelaySeconds));
  add(codes.discoveryControl, encodeDiscoveryControl(options.discoveryControl));
  add(codes.discoveryAddress, address(options.discoveryAddress));
  add(codes.bootServers, encodeBootServers(options.bootServers));
  add(codes.bootMenu, encodeBootMenu(options.bootMenu));
  add(codes.menuPrompt, encodeMenuPrompt(options.menuPrompt));
  add(codes.bootItem, encodeBootItem(options.bootItem));
  subOptions.push(...(options.unknown ?? []));
  const body = encodeSubOptions(subOptions, "PXE options");
  return new ByteWriter(body.byteLength + 1).put(body).uint8(codes.end).finish();
}

function byte(value: number | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : Uint8Array.of(value);
}

function address(value: Ipv4Address | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : Ipv4Address.toBytes(value);
}

/** Key: code of the sub-option. BOUNDED by the rows. */
const decoders = new Map<number, (result: Writable, bytes: Uint8Array) => void>([
  [pxeSubOptionCodes.mtftpAddress, (r, b) => (r.mtftpAddress = readAddressValue(b, "MTFTP address"))],
  [pxeSubOptionCodes.mtftpClientPort, (r, b) => (r.mtftpClientPort = readMtftpPort(b))],
  [pxeSubOptionCodes.mtftpServerPort, (r, b) => (r.mtftpServerPort = readMtftpPort(b))],
  [pxeSubOptionCodes.mtftpTimeout, (r, b) => (r.mtftpTimeoutSeconds = readUint8Value(b, "MTFTP time-out"))],
  [pxeSubOptionCodes.mtftpDelay, (r, b) => (r.mtftpDelaySeconds = readUint8Value(b, "MTFTP delay"))],
  [pxeSubOptionCodes.discoveryControl, (r, b) => (r.discoveryControl = readDiscoveryControl(b))],
  [
    pxeSubOptionCodes.discoveryAddress,
    (r, b) => (r.discoveryAddress = readAddressValue(b, "discovery address")),
  ],
  [pxeSubOptionCodes.bootServers, (r, b) => (r.bootServers = readBootServers(b))],
  [pxeSubOptionCodes.bootMenu, (r, b) => (r.bootMenu = readBootMenu(b))],
  [pxeSubOptionCodes.menuPrompt, (r, b) => (r.menuPrompt = readMenuPrompt(b))],
  [pxeSubOptionCodes.bootItem, (r, b) => (r.bootItem = readBootItem(b))],
]);

/** Intel order, unlike everything else in DHCP: so the first implementations had it, so it stayed. */
function readMtftpPort(bytes: Uint8Array): number {
  checkSize(bytes, 2, "MTFTP port");
  return new ByteReader(bytes).uint16LittleEndian("MTFTP port");
}

function encodeMtftpPort(port: number | undefined): Uint8Array | undefined {
  return port === undefined ? undefined : new ByteWriter(2).uint16LittleEndian(port).finish();
}

function readDiscoveryControl(bytes: Uint8Array): PxeDiscoveryControl {
  const bits = readUint8Value(bytes, "discovery control");
  return {
    noBroadcast: (bits & 1) !== 0,
    noMulticast: (bits & 2) !== 0,
    onlyListedServers: (bits & 4) !== 0,
    bootFileInOffer: (bits & 8) !== 0,
  };
}

function encodeDiscoveryControl(control: PxeDiscoveryControl | undefined): Uint8Array | undefined {
  if (control === undefined) {
    return undefined;
  }
  const bits = [control.noBroadcast, control.noMulticast, control.onlyListedServers, control.bootFileInOffer];
  return Uint8Array.of(bits.reduce((sum, isSet, index) => sum + (isSet ? 1 << index : 0), 0));
}

function readBootServers(bytes: Uint8Array): PxeBootServer[] {
  const reader = new ByteReader(bytes);
  const servers: PxeBootServer[] = [];
  while (reader.remainingBytes > 0) {
    const type = reader.uint16("boot server type");
    const count = reader.uint8("boot server count");
    const addresses = reader.view(4 * count, "boot server addresses");
    servers.push({
      type,
      addresses: Array.from({ length: count }, (_, index) =>
        Ipv4Address.fromBytes(addresses.subarray(4 * index, 4 * index + 4)),
      ),
    });
  }
  return servers;
}

function encodeBootServers(servers: readonly PxeBootServer[] | undefined): Uint8Array | undefined {
  if (servers === undefined) {
    return undefined;
  }
  const writer = new ByteWriter();
  for (const server of servers) {
    writer.uint16(server.type).uint8(server.addresses.length);
    for (const address of server.addresses) {
      writer.put(Ipv4Address.toBytes(address));
    }
  }
  return writer.finish();
}

function readBootMenu(bytes: Uint8Array): PxeMenuEntry[] {
  const reader = new ByteReader(bytes);
  const entries: PxeMenuEntry[] = [];
  while (reader.remainingBytes > 0) {
    const type = reader.uint16("menu entry type");
    const sizeBytes = reader.uint8("menu entry size");
    entries.push({ type, text: readTextValue(reader.view(sizeBytes, "menu entry"), "menu entry") });
  }
  return entries;
}

function encodeBootMenu(entries: readonly PxeMenuEntry[] | undefined): Uint8Array | undefined {
  if (entries === undefined) {
    return undefined;
  }
  const writer = new ByteWriter();
  for (const entry of entries) {
    const text = textValue(entry.text);
    if (text.byteLength > 255) {
      const needBytes = text.byteLength;
      throw new WireError({
        code: "too-long",
        field: "menu entry",
        offset: writer.offset,
        needBytes,
        haveBytes: 255,
      });
    }
    writer.uint16(entry.type).uint8(text.byteLength).put(text);
  }
  return writer.finish();
}

function readMenuPrompt(bytes: Uint8Array): PxeMenuPrompt {
  const reader = new ByteReader(bytes);
  const seconds = reader.uint8("menu prompt seconds");
  return { seconds, text: readTextValue(reader.rest(), "menu prompt") };
}

function encodeMenuPrompt(prompt: PxeMenuPrompt | undefined): Uint8Array | undefined {
  return prompt === undefined
    ? undefined
    : new ByteWriter().uint8(prompt.seconds).put(textValue(prompt.text)).finish();
}

function readBootItem(bytes: Uint8Array): PxeBootItem {
  checkSize(bytes, 4, "boot item");
  const reader = new ByteReader(bytes);
  return { type: reader.uint16("boot item type"), layer: reader.uint16("boot item layer") };
}

function encodeBootItem(item: PxeBootItem | undefined): Uint8Array | undefined {
  return item === undefined ? undefined : new ByteWriter(4).uint16(item.type).uint16(item.layer).finish();
}
