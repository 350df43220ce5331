import type { BootProgram } from "../boot/boot-program.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { type DhcpOption, type DhcpOptions, findOption, removeOption } from "#wire/dhcp4/dhcp-options.ts";
import { optionCodes } from "#wire/dhcp4/option-codes.ts";
import { encodedOptionSizeBytes } from "#wire/dhcp4/option-fields.ts";
import { serverIdentifierOption } from "#wire/dhcp4/options/addresses.ts";
import { messageSizeLimitBytes } from "#wire/dhcp4/options/maximum-message-size.ts";
import { messageTypeOption } from "#wire/dhcp4/options/message-type.ts";
import { parameterRequestList } from "#wire/dhcp4/options/parameter-request-list.ts";
import { bootFileNameOption, tftpServerNameOption, vendorClassOption } from "#wire/dhcp4/options/texts.ts";
import { type DhcpPacket, encodeDhcpPacket } from "#wire/dhcp4/packet.ts";
import { encodePxeOptions, type PxeOptions } from "#wire/pxe/vendor-options.ts";
import type { MtftpPlace } from "../tftp/mtftp-place.ts";

/** A request as it came in, and where from. */
export type DhcpArrival = {
  readonly packet: DhcpPacket;
  readonly port: 67 | 4011;
  readonly sourceAddress: Ipv4Address;
  readonly sourcePort: number;
};

export type ProxyAnswer =
  | {
      readonly type: "send";
      readonly bytes: Uint8Array;
      readonly to: { readonly address: Ipv4Address; readonly port: number };
    }
  | { readonly type: "ignore"; readonly reason: "reply-too-large" | "no-return-address" };

const fixedHeaderBytes = 240;
const endOptionBytes = 1;
const bootFileTextBytesMax = 127;

/**
 * QUIRK(edk2-4011): EDK2 goes to port 4011 although the offer names server and file, unless option 43 says "the
 * file is in this offer" (sub-option 6 = 8) and shows a menu of nothing for no time (sub-option 10). Bit 2 of
 * sub-option 6 must stay clear: without a server list Intel's boot agent stops with an error.
 */
const fileIsInThisOffer: PxeOptions = {
  discoveryControl: {
    noBroadcast: false,
    noMulticast: false,
    onlyListedServers: false,
    bootFileInOffer: true,
  },
  menuPrompt: { seconds: 0, text: "PXE" },
};

/** How long a client listens for others' transmission before it asks, and after it has fallen silent. */
const mtftpTimeoutSeconds = 2;
const mtftpDelaySeconds = 2;

function vendorOptions(mtftp: MtftpPlace | null): DhcpOption {
  const place: PxeOptions =
    mtftp === null
      ? {}
      : {
          mtftpAddress: mtftp.group,
          mtftpClientPort: mtftp.clientPort,
          mtftpServerPort: mtftp.serverPort,
          mtftpTimeoutSeconds,
          mtftpDelaySeconds,
        };
  return { code: optionCodes.vendorSpecific, bytes: encodePxeOptions({ ...fileIsInThisOffer, ...place }) };
}

/** What firmware is told to boot, and by whom. */
export type BootOffer = {
  readonly program: BootProgram;
  /** Ours on the segment that asked; goes into options 54 and 66 and `siaddr`. */
  readonly serverAddress: Ipv4Address;
  /** Where the file is sent by multicast as well, `null` when it is not. */
  readonly mtftp: MtftpPlace | null;
};

/**
 * The answer of a boot server that leases no addresses: OFFER on port 67, ACK on port 4011, with `yiaddr` 0 and
 * without any lease option.
 *
 * @see PXE 2.1 §2.2, RFC 4578, RFC 2131 §4.1, UEFI 2.10 §24.7.3 (HTTP boot)
 */
export function buildProxyAnswer(arrival: DhcpArrival, offer: BootOffer): ProxyAnswer {
  const { packet: request } = arrival;
  if (arrival.port === 4011 && arrival.sourceAddress === Ipv4Address.any) {
    return { type: "ignore", reason: "no-return-address" };
  }
  const messageSizeBytesMax = messageSizeLimitBytes(request.options);
  const reply: DhcpPacket = {
    operation: "reply",
    hardwareType: request.hardwareType,
    hardwareAddress: request.hardwareAddress,
    hops: 0,
    transactionId: request.transactionId,
    secondsElapsed: 0,
    // No address is given, so nobody could deliver a unicast: also a relay has to broadcast this.
    isBroadcast: arrival.port === 67 || request.isBroadcast,
    clientAddress: arrival.port === 67 ? Ipv4Address.any : request.clientAddress,
    yourAddress: Ipv4Address.any,
    serverAddress: nextServerOf(offer),
    relayAddress: request.relayAddress,
    serverName: "",
    bootFile: bootFileFieldOf(offer.program),
    options: shrink(optionsOf(arrival, offer), messageSizeBytesMax),
  };
  const bytes = encodeIfItFits(reply, messageSizeBytesMax);
  return bytes === null
    ? { type: "ignore", reason: "reply-too-large" }
    : { type: "send", bytes, to: replyDestination(arrival) };
}

/** `siaddr`. HTTP firmware reads everything from the URL; a next server there made some try TFTP. */
export function nextServerOf({ program, serverAddress }: BootOffer): Ipv4Address {
  return program.type === "http-file" ? Ipv4Address.any : serverAddress;
}

/** The `file` field; empty when the name is too long for it and option 67 carries it. */
export function bootFileFieldOf(program: BootProgram): string {
  const fileText = fileTextOf(program);
  return fileText.length <= bootFileTextBytesMax ? fileText : "";
}

function fileTextOf(program: BootProgram): string {
  return program.type === "tftp-file" ? program.fileName : program.url;
}

/**
 * Where an answer goes. Only the three cases below exist; in particular a relayed request is never answered by
 * broadcast, which would reach the wrong segment.
 *
 * @see RFC 2131 §4.1
 */
export function replyDestination(arrival: DhcpArrival): {
  readonly address: Ipv4Address;
  readonly port: number;
} {
  if (arrival.port === 4011) {
    return { address: arrival.sourceAddress, port: arrival.sourcePort };
  }
  return arrival.packet.relayAddress === Ipv4Address.any
    ? { address: Ipv4Address.broadcast, port: 68 }
    : { address: arrival.packet.relayAddress, port: 67 };
}

function optionsOf(arrival: DhcpArrival, offer: BootOffer): DhcpOptions {
  const { options: asked } = arrival.packet;
  return [
    messageTypeOption(arrival.port === 67 ? "offer" : "ack"),
    serverIdentifierOption(offer.serverAddress),
    ...bootOptions(asked, offer),
    ...echo(asked, optionCodes.relayAgentInformation),
  ];
}

/** The options by which firmware knows a boot server, without those that any DHCP answer has. */
export function bootOptions(asked: DhcpOptions, { program, serverAddress, mtftp }: BootOffer): DhcpOptions {
  const wanted = parameterRequestList(asked);
  const fileText = fileTextOf(program);
  const isHttp = program.type === "http-file";
  const isLong = fileText.length > bootFileTextBytesMax;
  const names67 = isHttp || isLong || wanted.includes(optionCodes.bootFileName);
  const names66 = !isHttp && wanted.includes(optionCodes.tftpServerName);
  return [
    vendorClassOption(isHttp ? "HTTPClient" : "PXEClient"),
    ...(isHttp ? [] : [vendorOptions(mtftp)]),
    ...echo(asked, optionCodes.clientUuid),
    ...(names66 ? [tftpServerNameOption(serverAddress)] : []),
    ...(names67 ? [bootFileNameOption(fileText)] : []),
  ];
}

/** The option byte for byte as it came. */
function echo(options: DhcpOptions, code: number): DhcpOptions {
  const bytes = findOption(options, code);
  return bytes === undefined ? [] : [{ code, bytes }];
}

/** Leaves out options 66 and 67, which repeat the header, rather than to spill options into `sname`. */
function shrink(options: DhcpOptions, messageSizeBytesMax: number): DhcpOptions {
  const roomBytes = messageSizeBytesMax - fixedHeaderBytes - endOptionBytes;
  const fits = (candidate: DhcpOptions): boolean =>
    candidate.reduce((sum, option) => sum + encodedOptionSizeBytes(option), 0) <= roomBytes;
  if (fits(options)) {
    return options;
  }
  const without66 = removeOption(options, optionCodes.tftpServerName);
  const name = findOption(options, optionCodes.bootFileName);
  const isNameElsewhere = name !== undefined && name.byteLength <= bootFileTextBytesMax;
  return fits(without66) || !isNameElsewhere ? without66 : removeOption(without66, optionCodes.bootFileName);
}

function encodeIfItFits(packet: DhcpPacket, messageSizeBytesMax: number): Uint8Array | null {
  try {
    return encodeDhcpPacket(packet, messageSizeBytesMax);
  } catch (error) {
    if (error instanceof WireError && error.code === "too-long") {
      return null;
    }
    throw error;
  }
}
