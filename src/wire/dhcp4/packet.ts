import { Ipv4Address } from "../address/ipv4-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";
import { type DhcpOptions, findOption } from "./dhcp-options.ts";
import { optionCodes } from "./option-codes.ts";
import { OptionCollector } from "./option-fields.ts";
import { layOutOptions } from "./option-layout.ts";

/*
 * offset size field
 *      0    1 op       1 request (from the computer), 2 reply
 *      1    1 htype    1 = Ethernet
 *      2    1 hlen     bytes of chaddr in use, at most 16
 *      3    1 hops     counted up by relays
 *      4    4 xid
 *      8    2 secs     seconds since the computer began
 *     10    2 flags    0x8000 = answer by broadcast
 *     12    4 ciaddr   16 4 yiaddr   20 4 siaddr   24 4 giaddr
 *     28   16 chaddr
 *     44   64 sname    NUL-terminated text, or options (option 52)
 *    108  128 file     NUL-terminated text, or options (option 52)
 *    236    4 cookie   63 82 53 63
 *    240    … options
 */

const magicCookie = 0x63825363;
const broadcastFlag = 0x8000;
const hardwareAddressFieldBytes = 16;
const serverNameFieldBytes = 64;
const bootFileFieldBytes = 128;
const optionsOffset = 240;
/** BOOTP's smallest message; some boot ROMs and the Linux kernel drop shorter ones. RFC 1542 §2.1 */
const smallestMessageBytes = 300;

/** What a message may hold for a computer that named no maximum: 576 bytes of IP packet. RFC 2131 §2 */
export const defaultMessageSizeBytesMax = 548;

/** One DHCPv4 message. Field names in the standard's words are in the comments. */
export type DhcpPacket = {
  /** `op`: a request comes from a computer, a reply from a server. */
  readonly operation: "request" | "reply";
  /** `htype`, 1 = Ethernet. */
  readonly hardwareType: number;
  /** `chaddr` cut to `hlen`, 0-16 bytes. */
  readonly hardwareAddress: Uint8Array;
  readonly hops: number;
  /** `xid`, 32 bits. */
  readonly transactionId: number;
  /** `secs`, 16 bits. */
  readonly secondsElapsed: number;
  /** The only bit of `flags`: the computer cannot receive unicast yet. */
  readonly isBroadcast: boolean;
  /** `ciaddr` */
  readonly clientAddress: Ipv4Address;
  /** `yiaddr` */
  readonly yourAddress: Ipv4Address;
  /** `siaddr`, the next server of the boot. */
  readonly serverAddress: Ipv4Address;
  /** `giaddr`; `0.0.0.0` when no relay was on the way. */
  readonly relayAddress: Ipv4Address;
  /** `sname`, up to 63 bytes of UTF-8; empty when the field held options. */
  readonly serverName: string;
  /** `file`, up to 127 bytes of UTF-8; empty when the field held options. */
  readonly bootFile: string;
  readonly options: DhcpOptions;
};

/**
 * Decodes one DHCPv4 message.
 *
 * @param bytes UDP payload, at least 240 bytes; may be a view into a larger buffer, nothing of it is kept.
 * @returns Message with every option as bytes, in first-seen order, long ones joined, overloaded fields merged.
 * @throws WireError `truncated` | `bad-magic` | `bad-value` | `bad-length` | `option-past-end`
 * @see RFC 2131 §2, RFC 2132 §9.3 (option 52), RFC 3396 §7
 */
export function decodeDhcpPacket(bytes: Uint8Array): DhcpPacket {
  const reader = new ByteReader(bytes);
  const operation = decodeOperation(reader.uint8("op"));
  const hardwareType = reader.uint8("htype");
  const hardwareAddressBytes = reader.uint8("hlen");
  if (hardwareAddressBytes > hardwareAddressFieldBytes) {
    throw new WireError({
      code: "bad-length",
      field: "hlen",
      offset: 2,
      needBytes: hardwareAddressBytes,
      haveBytes: hardwareAddressFieldBytes,
    });
  }
  const hops = reader.uint8("hops");
  const transactionId = reader.uint32("xid");
  const secondsElapsed = reader.uint16("secs");
  const isBroadcast = (reader.uint16("flags") & broadcastFlag) !== 0;
  const address = (field: string): Ipv4Address => Ipv4Address.fromBytes(reader.view(4, field));
  const clientAddress = address("ciaddr");
  const yourAddress = address("yiaddr");
  const serverAddress = address("siaddr");
  const relayAddress = address("giaddr");
  const hardwareAddress = reader.view(hardwareAddressFieldBytes, "chaddr").slice(0, hardwareAddressBytes);
  const serverNameField = reader.view(serverNameFieldBytes, "sname");
  const bootFileField = reader.view(bootFileFieldBytes, "file");
  if (reader.uint32("magic cookie") !== magicCookie) {
    throw new WireError({ code: "bad-magic", field: "magic cookie", offset: 236 });
  }
  const collected = collectOptions({ optionsField: reader.rest(), serverNameField, bootFileField });
  return {
    operation,
    hardwareType,
    hardwareAddress,
    hops,
    transactionId,
    secondsElapsed,
    isBroadcast,
    clientAddress,
    yourAddress,
    serverAddress,
    relayAddress,
    serverName: collected.usesServerName
      ? ""
      : new ByteReader(serverNameField).fixedText(serverNameFieldBytes, "sname"),
    bootFile: collected.usesBootFile
      ? ""
      : new ByteReader(bootFileField).fixedText(bootFileFieldBytes, "file"),
    options: collected.options,
  };
}

/**
 * Encodes one DHCPv4 message: option 53 first, option 82 last (RFC 3046 §2.1), values over 255 bytes in pieces
 * (RFC 3396), padded to 300 bytes. Options that would not fit go to `file` and `sname` (option 52) when those are
 * empty.
 *
 * @param messageSizeBytesMax Bytes of UDP payload the receiver takes; see `messageSizeLimitBytes`.
 * @throws WireError `too-long` when it does not fit, or when a text does not fit its field;
 *   `bad-value` when a number does not fit its field
 */
export function encodeDhcpPacket(
  packet: DhcpPacket,
  messageSizeBytesMax: number = defaultMessageSizeBytesMax,
): Uint8Array<ArrayBuffer> {
  checkFields(packet);
  const layout = layOutOptions(packet.options, {
    optionsBytesMax: messageSizeBytesMax - optionsOffset,
    bootFileBytes: packet.bootFile === "" ? bootFileFieldBytes : 0,
    serverNameBytes: packet.serverName === "" ? serverNameFieldBytes : 0,
  });
  const writer = new ByteWriter(smallestMessageBytes);
  writer
    .uint8(packet.operation === "request" ? 1 : 2)
    .uint8(packet.hardwareType)
    .uint8(packet.hardwareAddress.byteLength)
    .uint8(packet.hops)
    .uint32(packet.transactionId)
    .uint16(packet.secondsElapsed)
    .uint16(packet.isBroadcast ? broadcastFlag : 0)
    .put(Ipv4Address.toBytes(packet.clientAddress))
    .put(Ipv4Address.toBytes(packet.yourAddress))
    .put(Ipv4Address.toBytes(packet.serverAddress))
    .put(Ipv4Address.toBytes(packet.relayAddress))
    .put(packet.hardwareAddress)
    .zeros(hardwareAddressFieldBytes - packet.hardwareAddress.byteLength);
  if (layout.serverNameField === null) {
    writer.fixedText(packet.serverName, serverNameFieldBytes);
  } else {
    writer.put(layout.serverNameField);
  }
  if (layout.bootFileField === null) {
    writer.fixedText(packet.bootFile, bootFileFieldBytes);
  } else {
    writer.put(layout.bootFileField);
  }
  writer.uint32(magicCookie).put(layout.optionsField);
  return writer.zeros(Math.max(0, smallestMessageBytes - writer.offset)).finish();
}

function decodeOperation(value: number): DhcpPacket["operation"] {
  if (value !== 1 && value !== 2) {
    throw new WireError({ code: "bad-value", field: "op", offset: 0, detail: String(value) });
  }
  return value === 1 ? "request" : "reply";
}

type CollectedOptions = {
  readonly options: DhcpOptions;
  readonly usesServerName: boolean;
  readonly usesBootFile: boolean;
};

function collectOptions(fields: {
  readonly optionsField: Uint8Array;
  readonly serverNameField: Uint8Array;
  readonly bootFileField: Uint8Array;
}): CollectedOptions {
  const collector = new OptionCollector();
  collector.readArea(fields.optionsField, "options", optionsOffset);
  const overload = decodeOverload(findOption(collector.finish(), optionCodes.overload));
  const usesBootFile = (overload & 1) !== 0;
  const usesServerName = (overload & 2) !== 0;
  if (usesBootFile) {
    collector.readArea(fields.bootFileField, "file", 108);
  }
  if (usesServerName) {
    collector.readArea(fields.serverNameField, "sname", 44);
  }
  const options = collector.finish().filter((option) => option.code !== optionCodes.overload);
  return { options, usesServerName, usesBootFile };
}

/** 1 = `file` holds options, 2 = `sname`, 3 = both. RFC 2132 §9.3 */
function decodeOverload(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) {
    return 0;
  }
  const value = bytes.byteLength === 1 ? new ByteReader(bytes).uint8("option 52") : 0;
  if (value < 1 || value > 3) {
    throw new WireError({ code: "bad-value", field: "option 52", offset: optionsOffset });
  }
  return value;
}

function checkFields(packet: DhcpPacket): void {
  const encoder = new TextEncoder();
  const sizes = [
    ["chaddr", packet.hardwareAddress.byteLength, hardwareAddressFieldBytes],
    ["sname", encoder.encode(packet.serverName).byteLength, serverNameFieldBytes - 1],
    ["file", encoder.encode(packet.bootFile).byteLength, bootFileFieldBytes - 1],
  ] as const;
  for (const [field, needBytes, haveBytes] of sizes) {
    if (needBytes > haveBytes) {
      throw new WireError({ code: "too-long", field, offset: 0, needBytes, haveBytes });
    }
  }
  const numbers = [
    ["htype", packet.hardwareType, 0xff],
    ["hops", packet.hops, 0xff],
    ["xid", packet.transactionId, 0xffffffff],
    ["secs", packet.secondsElapsed, 0xffff],
  ] as const;
  for (const [field, value, largest] of numbers) {
    if (!Number.isInteger(value) || value < 0 || value > largest) {
      throw new WireError({ code: "bad-value", field, offset: 0, detail: String(value) });
    }
  }
}
