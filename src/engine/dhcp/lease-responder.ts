import type { BootProgram } from "../boot/boot-program.ts";
import type { MtftpPlace } from "../tftp/mtftp-place.ts";
import { bootFileFieldOf, bootOptions, type DhcpArrival, nextServerOf } from "./proxy-responder.ts";
import { type Lease, leaseDurationMs, type LeaseTable } from "./lease-table.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { type DhcpOptions, findOption } from "#wire/dhcp4/dhcp-options.ts";
import { optionCodes } from "#wire/dhcp4/option-codes.ts";
import {
  broadcastAddressOption,
  requestedAddress,
  routersOption,
  serverIdentifier,
  serverIdentifierOption,
  subnetMaskOption,
} from "#wire/dhcp4/options/addresses.ts";
import {
  leaseSecondsOption,
  rebindingSecondsOption,
  renewalSecondsOption,
} from "#wire/dhcp4/options/lease-times.ts";
import { messageSizeLimitBytes } from "#wire/dhcp4/options/maximum-message-size.ts";
import { messageType, messageTypeOption } from "#wire/dhcp4/options/message-type.ts";
import { type DhcpPacket, encodeDhcpPacket } from "#wire/dhcp4/packet.ts";

/** One segment that this server leases addresses on, and what its computers are told about it. */
export type LeaseSegment = {
  readonly table: LeaseTable;
  readonly subnet: Ipv4Subnet;
  readonly serverAddress: Ipv4Address;
  /** `null`: a closed segment, without a way out. */
  readonly gatewayAddress: Ipv4Address | null;
};

/** What goes into the same answer for firmware that is to boot from us. */
export type LeaseBoot = { readonly program: BootProgram; readonly mtftp: MtftpPlace | null };

export type LeaseSilence =
  | "relayed"
  | "not-ethernet"
  | "no-free-address"
  | "other-server-selected"
  | "released"
  | "declined"
  | "not-a-lease-message";

export type LeaseAnswer =
  | {
      readonly type: "send";
      readonly bytes: Uint8Array;
      readonly to: { readonly address: Ipv4Address; readonly port: number };
      readonly message: "offer" | "ack" | "nak";
      /** To be stored before the answer leaves; `null` when nothing has changed hands. */
      readonly lease: Lease | null;
    }
  | { readonly type: "ignore"; readonly reason: LeaseSilence; readonly lease: Lease | null };

/**
 * Answers one message of a computer that wants an address, with its boot program in the same answer when it has one.
 * The ranges are ours alone: an address that is wrong here is refused at once (NAK), so that nobody waits.
 *
 * @see RFC 2131 §4.3
 */
export function answerLeaseRequest(
  arrival: DhcpArrival,
  segment: LeaseSegment,
  boot: LeaseBoot | null,
  nowMs: number,
): LeaseAnswer {
  const { packet } = arrival;
  if (packet.relayAddress !== Ipv4Address.any) {
    return { type: "ignore", reason: "relayed", lease: null };
  }
  if (
    packet.operation !== "request" ||
    packet.hardwareType !== 1 ||
    packet.hardwareAddress.byteLength !== 6
  ) {
    return { type: "ignore", reason: "not-ethernet", lease: null };
  }
  const mac = MacAddress.fromBytes(packet.hardwareAddress);
  const wanted = requestedAddress(packet.options) ?? null;
  const { table } = segment;
  const asked = messageType(packet.options);
  if (asked === "discover") {
    const lease = table.offer(mac, wanted, nowMs);
    return lease === null
      ? { type: "ignore", reason: "no-free-address", lease: null }
      : { ...reply(arrival, segment, boot, { message: "offer", address: lease.address }), lease: null };
  }
  if (asked === "request") {
    return answerRequest(arrival, segment, boot, { mac, wanted, nowMs });
  }
  if (asked === "inform") {
    return { ...reply(arrival, segment, boot, { message: "ack", address: null }), lease: null };
  }
  if (asked === "release") {
    return { type: "ignore", reason: "released", lease: table.release(mac, packet.clientAddress, nowMs) };
  }
  if (asked === "decline") {
    const lease = wanted === null ? null : table.decline(mac, wanted, nowMs);
    return { type: "ignore", reason: "declined", lease };
  }
  return { type: "ignore", reason: "not-a-lease-message", lease: null };
}

function answerRequest(
  arrival: DhcpArrival,
  segment: LeaseSegment,
  boot: LeaseBoot | null,
  given: { readonly mac: MacAddress; readonly wanted: Ipv4Address | null; readonly nowMs: number },
): LeaseAnswer {
  const { packet } = arrival;
  const selected = serverIdentifier(packet.options);
  if (selected !== undefined && selected !== segment.serverAddress) {
    return { type: "ignore", reason: "other-server-selected", lease: null };
  }
  const address = given.wanted ?? packet.clientAddress;
  const lease = segment.table.bind(given.mac, address, given.nowMs);
  return lease === null
    ? { ...reply(arrival, segment, null, { message: "nak", address: null }), lease: null }
    : { ...reply(arrival, segment, boot, { message: "ack", address: lease.address }), lease };
}

function reply(
  { packet }: DhcpArrival,
  segment: LeaseSegment,
  boot: LeaseBoot | null,
  given: { readonly message: "offer" | "ack" | "nak"; readonly address: Ipv4Address | null },
): Omit<Extract<LeaseAnswer, { type: "send" }>, "lease"> {
  const { message, address } = given;
  const isNak = message === "nak";
  const offer = boot === null ? null : { ...boot, serverAddress: segment.serverAddress };
  const isAtItsAddress = !isNak && packet.clientAddress !== Ipv4Address.any;
  const answer: DhcpPacket = {
    operation: "reply",
    hardwareType: packet.hardwareType,
    hardwareAddress: packet.hardwareAddress,
    hops: 0,
    transactionId: packet.transactionId,
    secondsElapsed: 0,
    isBroadcast: packet.isBroadcast,
    clientAddress: isAtItsAddress ? packet.clientAddress : Ipv4Address.any,
    yourAddress: address ?? Ipv4Address.any,
    serverAddress: offer === null ? Ipv4Address.any : nextServerOf(offer),
    relayAddress: Ipv4Address.any,
    serverName: "",
    bootFile: offer === null ? "" : bootFileFieldOf(offer.program),
    options: [
      messageTypeOption(message),
      serverIdentifierOption(segment.serverAddress),
      ...(isNak ? [] : leaseOptions(segment, address !== null)),
      ...(offer === null ? [] : bootOptions(packet.options, offer)),
      ...clientIdentifierEcho(packet.options),
    ],
  };
  return {
    type: "send",
    bytes: encodeDhcpPacket(answer, messageSizeLimitBytes(packet.options)),
    // Who has no address yet hears only broadcasts: nobody can send to it without an ARP entry.
    to: { address: isAtItsAddress ? packet.clientAddress : Ipv4Address.broadcast, port: 68 },
    message,
  };
}

function leaseOptions(segment: LeaseSegment, isLease: boolean): DhcpOptions {
  const { subnet, gatewayAddress } = segment;
  const seconds = Math.floor(leaseDurationMs / 1000);
  const last = Ipv4Address.toNumber(subnet.address) + 2 ** (32 - subnet.prefixLength) - 1;
  return [
    ...(isLease
      ? [
          leaseSecondsOption(seconds),
          renewalSecondsOption(Math.floor(seconds / 2)),
          rebindingSecondsOption(Math.floor((seconds * 7) / 8)),
        ]
      : []),
    subnetMaskOption(Ipv4Address.fromNumber(Ipv4Subnet.mask(subnet.prefixLength))),
    broadcastAddressOption(Ipv4Address.fromNumber(last)),
    ...(gatewayAddress === null ? [] : [routersOption([gatewayAddress])]),
  ];
}

/** RFC 6842: a client identifier comes back as it was sent. */
function clientIdentifierEcho(asked: DhcpOptions): DhcpOptions {
  const bytes = findOption(asked, optionCodes.clientIdentifier);
  return bytes === undefined ? [] : [{ code: optionCodes.clientIdentifier, bytes }];
}
