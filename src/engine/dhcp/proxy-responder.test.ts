import assert from "node:assert/strict";
import { test } from "node:test";
import type { BootProgram } from "../boot/boot-program.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { findOption, type DhcpOption } from "#wire/dhcp4/dhcp-options.ts";
import { serverIdentifier } from "#wire/dhcp4/options/addresses.ts";
import { clientArchitecturesOption } from "#wire/dhcp4/options/client-architecture.ts";
import { messageType, messageTypeOption } from "#wire/dhcp4/options/message-type.ts";
import { parameterRequestListOption } from "#wire/dhcp4/options/parameter-request-list.ts";
import { bootFileName, tftpServerName, vendorClass, vendorClassOption } from "#wire/dhcp4/options/texts.ts";
import { decodeDhcpPacket, type DhcpPacket } from "#wire/dhcp4/packet.ts";
import { decodePxeOptions } from "#wire/pxe/vendor-options.ts";
import { buildProxyAnswer, type DhcpArrival } from "./proxy-responder.ts";
import { readBootRequest, readRelayTrace } from "./read-boot-request.ts";
import { AnswerBudget } from "./answer-budget.ts";

const server = Ipv4Address.parse("192.168.0.1");
const relay = Ipv4Address.parse("10.2.0.1");
const biosFile: BootProgram = { type: "tftp-file", loader: "ipxe-bios", fileName: "undionly.kpxe" };
const uuid = Uint8Array.from([0, ...Array.from({ length: 16 }, (_, index) => index + 1)]);
const option82 = Uint8Array.from([1, 4, 1, 2, 3, 4, 2, 2, 9, 9]);

function request(change: Partial<DhcpPacket> = {}, added: readonly DhcpOption[] = []): DhcpPacket {
  return {
    operation: "request",
    hardwareType: 1,
    hardwareAddress: Uint8Array.from([0x52, 0x54, 0, 0, 0, 0x0a]),
    hops: 2,
    transactionId: 0xdeadbeef,
    secondsElapsed: 12,
    isBroadcast: false,
    clientAddress: Ipv4Address.any,
    yourAddress: Ipv4Address.any,
    serverAddress: Ipv4Address.any,
    relayAddress: Ipv4Address.any,
    serverName: "",
    bootFile: "",
    options: [
      messageTypeOption("discover"),
      vendorClassOption("PXEClient:Arch:00000:UNDI:002001"),
      clientArchitecturesOption([0]),
      parameterRequestListOption([43, 66, 67]),
      { code: 97, bytes: uuid },
      ...added,
    ],
    ...change,
  };
}

function arrive(packet: DhcpPacket, change: Partial<DhcpArrival> = {}): DhcpArrival {
  return { packet, port: 67, sourceAddress: Ipv4Address.any, sourcePort: 68, ...change };
}

function answer(
  arrival: DhcpArrival,
  program: BootProgram = biosFile,
): { readonly packet: DhcpPacket; readonly to: string; readonly sizeBytes: number } {
  const made = buildProxyAnswer(arrival, { program, serverAddress: server, mtftp: null });
  assert.equal(made.type, "send");
  const { bytes, to } = made;
  return {
    packet: decodeDhcpPacket(bytes),
    to: `${to.address}:${to.port}`,
    sizeBytes: bytes.byteLength,
  };
}

test("proxy answer: an un-relayed DISCOVER is answered by broadcast to port 68 with our address everywhere", () => {
  const { packet, to } = answer(arrive(request()));
  assert.equal(to, "255.255.255.255:68");
  assert.equal(messageType(packet.options), "offer");
  assert.equal(packet.isBroadcast, true);
  assert.equal(packet.yourAddress, "0.0.0.0");
  assert.equal(packet.serverAddress, server);
  assert.equal(serverIdentifier(packet.options), server);
  assert.equal(tftpServerName(packet.options), server);
  assert.equal(vendorClass(packet.options), "PXEClient");
  assert.equal(packet.bootFile, "undionly.kpxe");
  assert.equal(bootFileName(packet.options), "undionly.kpxe");
  assert.equal(packet.transactionId, 0xdeadbeef);
  assert.deepEqual(findOption(packet.options, 97), uuid);
});

test("proxy answer: option 43 says the file is in the offer, byte for byte", () => {
  const { packet } = answer(arrive(request()));
  const bytes = findOption(packet.options, 43);
  assert.equal(Buffer.from(bytes ?? []).toString("hex"), "0601080a04005058 45ff".replaceAll(" ", ""));
});

test("proxy answer: no lease option and no iPXE option is ever in it", () => {
  const { packet } = answer(arrive(request()));
  for (const code of [1, 3, 6, 50, 51, 58, 59, 175]) {
    assert.equal(findOption(packet.options, code), undefined, `option ${code}`);
  }
});

test("proxy answer: a relayed DISCOVER goes by unicast to the relay, hops 0, broadcast bit set, option 82 last", () => {
  const relayed = request({ relayAddress: relay }, [{ code: 82, bytes: option82 }]);
  const { packet, to } = answer(arrive(relayed, { sourceAddress: Ipv4Address.parse("10.9.9.9") }));
  assert.equal(to, "10.2.0.1:67");
  assert.equal(packet.hops, 0);
  assert.equal(packet.isBroadcast, true);
  assert.equal(packet.relayAddress, relay);
  assert.deepEqual(findOption(packet.options, 82), option82);
  assert.equal(packet.options.at(-1)?.code, 82);
});

test("proxy answer: a request on 4011 is acknowledged to where it came from", () => {
  const address = Ipv4Address.parse("192.168.0.77");
  const arrival = arrive(request({ clientAddress: address }), {
    port: 4011,
    sourceAddress: address,
    sourcePort: 4011,
  });
  const { packet, to } = answer(arrival);
  assert.equal(to, "192.168.0.77:4011");
  assert.equal(messageType(packet.options), "ack");
  assert.equal(packet.clientAddress, address);
});

test("proxy answer: a request on 4011 without a source address cannot be answered", () => {
  const made = buildProxyAnswer(arrive(request(), { port: 4011 }), {
    program: biosFile,
    serverAddress: server,
    mtftp: null,
  });
  assert.deepEqual(made, { type: "ignore", reason: "no-return-address" });
});

test("proxy answer: where the file is sent by MTFTP the offer names the place, and says all else as before", () => {
  const group = Ipv4Address.parse("224.2.0.2");
  const mtftp = { group, clientPort: 1758, serverPort: 1759 };
  const made = buildProxyAnswer(arrive(request()), { program: biosFile, serverAddress: server, mtftp });
  assert.equal(made.type, "send");
  const bytes = findOption(decodeDhcpPacket(made.bytes).options, 43);
  assert.ok(bytes !== undefined);
  assert.deepEqual(decodePxeOptions(bytes), {
    mtftpAddress: group,
    mtftpClientPort: 1758,
    mtftpServerPort: 1759,
    mtftpTimeoutSeconds: 2,
    mtftpDelaySeconds: 2,
    discoveryControl: {
      noBroadcast: false,
      noMulticast: false,
      onlyListedServers: false,
      bootFileInOffer: true,
    },
    menuPrompt: { seconds: 0, text: "PXE" },
  });
});

test("proxy answer: HTTP firmware gets HTTPClient and a URL, and nothing of PXE", () => {
  const url = "http://192.168.0.1:8069/boot/snponly.efi";
  const { packet } = answer(arrive(request()), { type: "http-file", loader: "ipxe", url });
  assert.equal(vendorClass(packet.options), "HTTPClient");
  assert.equal(packet.bootFile, url);
  assert.equal(bootFileName(packet.options), url);
  assert.equal(packet.serverAddress, "0.0.0.0");
  assert.equal(findOption(packet.options, 43), undefined);
  assert.equal(tftpServerName(packet.options), undefined);
});

test("proxy answer: a URL too long for the file field goes into option 67", () => {
  const url = `http://192.168.0.1:8069/boot/script.ipxe?mac=52:54:00:00:00:0a&uuid=${"a".repeat(80)}`;
  const { packet } = answer(arrive(request()), { type: "ipxe-script", loader: "script", url });
  assert.equal(packet.bootFile, "");
  assert.equal(bootFileName(packet.options), url);
});

test("proxy answer: options 66 and 67 are left out for clients that did not ask", () => {
  const packet = request();
  const quiet = { ...packet, options: packet.options.filter(({ code }) => code !== 55) };
  const answered = answer(arrive(quiet)).packet;
  assert.equal(tftpServerName(answered.options), undefined);
  assert.equal(bootFileName(answered.options), undefined);
  assert.equal(answered.bootFile, "undionly.kpxe");
});

test("proxy answer: option 57 bounds the size; repeated names give way to a long option 82", () => {
  const long82 = Uint8Array.from([1, 238, ...Array.from({ length: 238 }, () => 7)]);
  const relayed = request({ relayAddress: relay }, [
    { code: 82, bytes: long82 },
    { code: 57, bytes: Uint8Array.of(2, 64) },
  ]);
  const { packet, sizeBytes } = answer(arrive(relayed));
  assert.ok(sizeBytes <= 548, `${sizeBytes} bytes`);
  assert.deepEqual(findOption(packet.options, 82), long82);
  assert.equal(packet.serverName, "");
  assert.equal(packet.bootFile, "undionly.kpxe");
});

test("proxy answer: what cannot fit is not sent in part", () => {
  const huge = request({ relayAddress: relay }, [{ code: 82, bytes: new Uint8Array(600) }]);
  const made = buildProxyAnswer(arrive(huge), { program: biosFile, serverAddress: server, mtftp: null });
  assert.deepEqual(made, { type: "ignore", reason: "reply-too-large" });
});

test("boot request: a server's reply and an ordinary client's odd options are not PXE, and not malformed", () => {
  assert.equal(readBootRequest(request({ operation: "reply" }), 67).firmware.type, "not-pxe");
  const odd = request({ options: [{ code: 53, bytes: new Uint8Array(3) }] });
  assert.equal(readBootRequest(odd, 67).firmware.type, "not-pxe");
});

test("boot request: the computer behind a relay is known by chaddr, never by where the packet came from", () => {
  const read = readBootRequest(request({ relayAddress: relay }), 67);
  assert.equal(read.identity?.mac, "52:54:00:00:00:0a");
  assert.equal(read.relayAddress, relay);
  assert.deepEqual(readRelayTrace(request({ relayAddress: relay }, [{ code: 82, bytes: option82 }])), {
    address: relay,
    hops: 2,
    circuitId: "01020304",
    remoteId: "0909",
  });
});

test("answer budget: a burst passes, a flood does not, and time refills it", () => {
  const budget = new AnswerBudget({ perSecond: 100, burst: 10 }, 0);
  const taken = (count: number, nowMs: number): number =>
    Array.from({ length: count }, () => budget.take(nowMs)).filter(Boolean).length;
  assert.equal(taken(50, 0), 10);
  assert.equal(taken(50, 50), 5);
  assert.equal(taken(50, 10_000), 10);
});
