import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { type DhcpOption, findOption } from "#wire/dhcp4/dhcp-options.ts";
import { optionCodes } from "#wire/dhcp4/option-codes.ts";
import { serverIdentifier, serverIdentifierOption } from "#wire/dhcp4/options/addresses.ts";
import { type DhcpMessageType, messageType, messageTypeOption } from "#wire/dhcp4/options/message-type.ts";
import { vendorClass } from "#wire/dhcp4/options/texts.ts";
import { decodeDhcpPacket, type DhcpPacket } from "#wire/dhcp4/packet.ts";
import {
  answerLeaseRequest,
  type LeaseAnswer,
  type LeaseBoot,
  type LeaseSegment,
} from "./lease-responder.ts";
import { LeaseTable } from "./lease-table.ts";

const server = Ipv4Address.parse("10.9.0.1");
const first = Ipv4Address.parse("10.9.0.100");
const boot: LeaseBoot = {
  program: { type: "tftp-file", loader: "ipxe-bios", fileName: "undionly.kpxe" },
  mtftp: null,
};

function segment(): LeaseSegment {
  return {
    table: new LeaseTable([{ from: first, to: Ipv4Address.parse("10.9.0.101") }], []),
    subnet: Ipv4Subnet.of(server, 24),
    serverAddress: server,
    gatewayAddress: null,
  };
}

function ask(
  on: LeaseSegment,
  type: DhcpMessageType,
  added: readonly DhcpOption[] = [],
  given: { readonly change?: Partial<DhcpPacket>; readonly boot?: LeaseBoot; readonly last?: number } = {},
): LeaseAnswer {
  const packet: DhcpPacket = {
    operation: "request",
    hardwareType: 1,
    hardwareAddress: Uint8Array.from([0x52, 0x54, 0, 0, 0, given.last ?? 1]),
    hops: 0,
    transactionId: 0xdeadbeef,
    secondsElapsed: 4,
    isBroadcast: true,
    clientAddress: Ipv4Address.any,
    yourAddress: Ipv4Address.any,
    serverAddress: Ipv4Address.any,
    relayAddress: Ipv4Address.any,
    serverName: "",
    bootFile: "",
    options: [messageTypeOption(type), ...added],
    ...given.change,
  };
  const arrival = { packet, port: 67, sourceAddress: Ipv4Address.any, sourcePort: 68 } as const;
  return answerLeaseRequest(arrival, on, given.boot ?? null, 1000);
}

function wants(address: Ipv4Address): DhcpOption {
  return { code: optionCodes.requestedAddress, bytes: Ipv4Address.toBytes(address) };
}

function sent(answer: LeaseAnswer): { readonly packet: DhcpPacket; readonly to: string } {
  assert.equal(answer.type, "send", JSON.stringify(answer));
  return { packet: decodeDhcpPacket(answer.bytes), to: `${answer.to.address}:${answer.to.port}` };
}

test("lease answer: DISCOVER, OFFER, REQUEST, ACK; mask, broadcast address and times in each, no router in a closed room", () => {
  const on = segment();
  const identifier: DhcpOption = { code: optionCodes.clientIdentifier, bytes: Uint8Array.from([1, 2, 3]) };
  const offered = ask(on, "discover", [identifier]);
  const { packet: offer, to } = sent(offered);
  assert.equal(to, "255.255.255.255:68");
  assert.equal(messageType(offer.options), "offer");
  assert.equal(offer.yourAddress, first);
  assert.equal(serverIdentifier(offer.options), server);
  assert.deepEqual(findOption(offer.options, 1), Uint8Array.from([255, 255, 255, 0]));
  assert.deepEqual(findOption(offer.options, 28), Uint8Array.from([10, 9, 0, 255]));
  assert.deepEqual(findOption(offer.options, 51), Uint8Array.from([0, 0, 14, 16]));
  assert.deepEqual(findOption(offer.options, 58), Uint8Array.from([0, 0, 7, 8]));
  assert.equal(findOption(offer.options, 3), undefined);
  assert.deepEqual(findOption(offer.options, 61), identifier.bytes);
  assert.equal(vendorClass(offer.options), undefined);
  assert.equal(offered.lease, null, "an offer is not worth a write");

  const taken = ask(on, "request", [wants(first), serverIdentifierOption(server)]);
  const { packet: ack } = sent(taken);
  assert.equal(messageType(ack.options), "ack");
  assert.equal(ack.yourAddress, first);
  assert.deepEqual(taken.lease, {
    address: first,
    mac: "52:54:00:00:00:01",
    state: "bound",
    untilMs: 3_601_000,
  });
});

test("lease answer: firmware finds address and boot program in one answer", () => {
  const { packet } = sent(ask(segment(), "discover", [], { boot }));
  assert.equal(packet.yourAddress, first);
  assert.equal(packet.serverAddress, server);
  assert.equal(packet.bootFile, "undionly.kpxe");
  assert.equal(vendorClass(packet.options), "PXEClient");
});

test("lease answer: a router is told where the segment has one", () => {
  const gatewayAddress = Ipv4Address.parse("10.9.0.254");
  const { packet } = sent(ask({ ...segment(), gatewayAddress }, "discover"));
  assert.deepEqual(findOption(packet.options, 3), Uint8Array.from([10, 9, 0, 254]));
});

test("lease answer: an address of elsewhere or of another computer is refused at once, without a boot program", () => {
  const on = segment();
  ask(on, "request", [wants(first)]);
  for (const [last, address] of [
    [2, first],
    [1, Ipv4Address.parse("192.168.7.7")],
  ] as const) {
    const { packet, to } = sent(ask(on, "request", [wants(address)], { last, boot }));
    assert.equal(messageType(packet.options), "nak");
    assert.equal(packet.yourAddress, "0.0.0.0");
    assert.equal(packet.bootFile, "");
    assert.equal(findOption(packet.options, 51), undefined);
    assert.equal(to, "255.255.255.255:68");
  }
});

test("lease answer: who prolongs its lease is answered at its address", () => {
  const on = segment();
  ask(on, "request", [wants(first)]);
  const { packet, to } = sent(
    ask(on, "request", [], { change: { clientAddress: first, isBroadcast: false } }),
  );
  assert.equal(to, "10.9.0.100:68");
  assert.equal(messageType(packet.options), "ack");
  assert.equal(packet.yourAddress, first);
});

test("lease answer: who only asks for settings gets no lease", () => {
  const clientAddress = Ipv4Address.parse("10.9.0.50");
  const { packet, to } = sent(ask(segment(), "inform", [], { change: { clientAddress } }));
  assert.equal(to, "10.9.0.50:68");
  assert.equal(packet.yourAddress, "0.0.0.0");
  assert.equal(findOption(packet.options, 51), undefined);
  assert.deepEqual(findOption(packet.options, 1), Uint8Array.from([255, 255, 255, 0]));
});

test("lease answer: silent, with the reason, where it is not ours to answer", () => {
  const on = segment();
  const reasonOf = (answer: LeaseAnswer): string => (answer.type === "ignore" ? answer.reason : "answered");
  const other = serverIdentifierOption(Ipv4Address.parse("10.9.0.9"));
  const relayed = { change: { relayAddress: Ipv4Address.parse("10.2.0.1") } };
  assert.equal(reasonOf(ask(on, "discover", [], relayed)), "relayed");
  assert.equal(reasonOf(ask(on, "discover", [], { change: { hardwareType: 6 } })), "not-ethernet");
  assert.equal(reasonOf(ask(on, "discover", [], { change: { operation: "reply" } })), "not-ethernet");
  assert.equal(reasonOf(ask(on, "request", [wants(first), other])), "other-server-selected");
  assert.equal(reasonOf(ask(on, "offer")), "not-a-lease-message");
  assert.equal(reasonOf(ask(on, "release")), "released");
  ask(on, "discover", [], { last: 1 });
  assert.equal(reasonOf(ask(on, "decline", [wants(first)])), "declined");
  assert.equal(reasonOf(ask(on, "discover", [], { last: 2 })), "answered");
  assert.equal(reasonOf(ask(on, "discover", [], { last: 3 })), "no-free-address");
});
