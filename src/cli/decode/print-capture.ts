import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeDhcpPacket } from "#wire/dhcp4/packet.ts";
import { messageType } from "#wire/dhcp4/options/message-type.ts";
import { printDhcpPacket } from "#wire/dhcp4/print-packet.ts";
import { decodeArpPacket } from "#wire/ethernet/arp-packet.ts";
import { decodeGetServerAnswer, decodeGetServerRequest } from "#wire/discovery/get-server.ts";
import { decodeEthernetFrame, etherTypes } from "#wire/ethernet/ethernet-frame.ts";
import { decodeIpv4Packet, ipProtocols } from "#wire/ethernet/ipv4-packet.ts";
import { decodeUdpDatagram, type UdpDatagram } from "#wire/ethernet/udp-datagram.ts";
import { decodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";
import { decodeDataPacket } from "#wire/multicast/data-packet.ts";
import { type CapturedFrame, linkTypes } from "#wire/pcap/captured-frame.ts";
import { readCapture } from "#wire/pcap/read-capture.ts";
import { formatHex, type PrintedField, quoteText, renderFields } from "#wire/printing/printed-field.ts";
import { decodeTftpPacket, type TftpOptions, type TftpPacket } from "#wire/tftp/packet.ts";

/** One frame as people read it: a line and what hangs below it. */
type Printed = { readonly line: string; readonly fields: readonly PrintedField[] };

/** First bytes of what travels on ports that are settings: six 255s, "PM", "PTLD". */
const magicPacketStart = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const imagingMagic = [0x50, 0x4d];
const discoveryMagic = [0x50, 0x54, 0x4c, 0x44];
const dhcpPorts: ReadonlySet<number> = new Set([67, 68, 4011]);

/** A frame of a capture, for people and, as JSON, for programs. */
export type PrintedFrame = Printed & {
  /** From 1. */
  readonly number: number;
  /** Since the first frame. */
  readonly seconds: number;
  /** The capture holds less of the frame than the network carried. */
  readonly isCut: boolean;
};

/**
 * Takes the frames of a capture (pcap or pcapng) apart. Frames of other protocols get one line; a damaged frame gets a
 * line with its reason, so it hides no other. Every text from the network is quoted and escaped.
 *
 * @throws WireError for damage of the file itself, after the frames before it
 */
export function* printFrames(bytes: Uint8Array): Generator<PrintedFrame, void> {
  let number = 0;
  let firstAtUs: bigint | null = null;
  for (const frame of readCapture(bytes)) {
    number += 1;
    firstAtUs ??= frame.atUs;
    const seconds = Number(frame.atUs - firstAtUs) / 1e6;
    const isCut = frame.originalBytes > frame.bytes.byteLength;
    yield { number, seconds, isCut, ...printOrExplain(frame) };
  }
}

/** A line per frame and, indented, what hangs below it. @throws WireError as `printFrames` */
export function* printCapture(bytes: Uint8Array): Generator<string, void> {
  for (const frame of printFrames(bytes)) {
    const cut = frame.isCut ? " [cut in the capture]" : "";
    yield `${frame.number}  ${frame.seconds.toFixed(6)}  ${frame.line}${cut}`;
    yield* renderFields(frame.fields, "    ");
  }
}

function printOrExplain(frame: CapturedFrame): Printed {
  try {
    return printFrame(frame);
  } catch (error) {
    if (!(error instanceof WireError)) {
      throw error;
    }
    return { line: `unreadable: ${error.message}`, fields: [bytesField(frame.bytes)] };
  }
}

function printFrame(frame: CapturedFrame): Printed {
  if (frame.linkType === linkTypes.raw) {
    return printIpv4(frame.bytes);
  }
  if (frame.linkType !== linkTypes.ethernet) {
    return { line: `link type ${frame.linkType}`, fields: [] };
  }
  const ethernet = decodeEthernetFrame(frame.bytes);
  switch (ethernet.etherType) {
    case etherTypes.ipv4:
      return printIpv4(ethernet.payload);
    case etherTypes.arp: {
      const arp = decodeArpPacket(ethernet.payload);
      const line =
        arp.operation === "request"
          ? `ARP who has ${arp.targetAddress}, asks ${arp.senderAddress}`
          : `ARP ${arp.senderAddress} is at ${arp.senderMac}`;
      return { line, fields: [] };
    }
    case etherTypes.wakeOnLan:
      return printMagicPacket("Ethernet", ethernet.payload);
    default: {
      const type = ethernet.etherType.toString(16).padStart(4, "0");
      return { line: `${ethernet.source} > ${ethernet.destination} EtherType ${type}`, fields: [] };
    }
  }
}

function printIpv4(bytes: Uint8Array): Printed {
  const packet = decodeIpv4Packet(bytes);
  const badHeader = packet.isChecksumRight ? "" : " [bad IP checksum]";
  if (packet.protocol !== ipProtocols.udp || packet.fragmentOffsetBytes > 0 || packet.hasMoreFragments) {
    const isFragment = packet.fragmentOffsetBytes > 0 || packet.hasMoreFragments;
    const fragment = isFragment ? " fragment" : "";
    const line = `${packet.source} > ${packet.destination} IP protocol ${packet.protocol}${fragment}${badHeader}`;
    return { line, fields: [] };
  }
  const datagram = decodeUdpDatagram(packet.payload, packet);
  const badSum = datagram.checksum === "wrong" ? " [bad UDP checksum]" : "";
  const from = `${packet.source}:${datagram.sourcePort}`;
  const route = `${from} > ${packet.destination}:${datagram.destinationPort}${badHeader}${badSum}`;
  return printDatagram(route, datagram);
}

/** By port where a port says it, by the first bytes where our own ports are settings. */
function printDatagram(route: string, datagram: UdpDatagram): Printed {
  const ports = [datagram.sourcePort, datagram.destinationPort];
  const payload = datagram.payload;
  if (ports.some((port) => dhcpPorts.has(port))) {
    return explainDamage(`${route}  DHCP`, payload, () => printDhcp(route, payload));
  }
  if (ports.includes(69)) {
    return explainDamage(`${route}  TFTP`, payload, () => printTftp(route, decodeTftpPacket(payload)));
  }
  if (startsWith(payload, magicPacketStart)) {
    return explainDamage(`${route}  wake-up`, payload, () => printMagicPacket(route, payload));
  }
  if (startsWith(payload, imagingMagic)) {
    return explainDamage(`${route}  imaging`, payload, () => printImagingData(route, payload));
  }
  if (startsWith(payload, discoveryMagic)) {
    return explainDamage(`${route}  discovery`, payload, () => printDiscovery(route, payload));
  }
  return { line: `${route}  UDP, ${payload.byteLength} bytes`, fields: [] };
}

/** A payload that breaks its protocol still has a route, and its bytes are worth a look. */
function explainDamage(line: string, payload: Uint8Array, print: () => Printed): Printed {
  try {
    return print();
  } catch (error) {
    if (!(error instanceof WireError)) {
      throw error;
    }
    return { line: `${line} unreadable: ${error.message}`, fields: [bytesField(payload)] };
  }
}

function bytesField(bytes: Uint8Array): PrintedField {
  return { label: "bytes", value: formatHex(bytes) };
}

function printDhcp(route: string, payload: Uint8Array): Printed {
  const packet = decodeDhcpPacket(payload);
  const type = readMessageType(packet.options);
  return { line: `${route}  DHCP ${type} (${packet.operation})`, fields: printDhcpPacket(packet) };
}

/** The line needs a word even when option 53 is broken; its bytes are among the fields then. */
function readMessageType(options: Parameters<typeof messageType>[0]): string {
  try {
    return messageType(options) ?? "BOOTP";
  } catch (error) {
    if (error instanceof WireError) {
      return "of an unknown type";
    }
    throw error;
  }
}

function printTftp(route: string, packet: TftpPacket): Printed {
  const line = `${route}  TFTP ${packet.type}`;
  switch (packet.type) {
    case "read-request":
    case "write-request":
      return {
        line: `${line} ${quoteText(packet.fileName)}`,
        fields: [{ label: "mode", value: quoteText(packet.mode) }, ...printTftpOptions(packet.options)],
      };
    case "data":
      return { line: `${line} block ${packet.blockNumber}, ${packet.data.byteLength} bytes`, fields: [] };
    case "ack":
      return { line: `${line} block ${packet.blockNumber}`, fields: [] };
    case "error":
      return { line: `${line} ${packet.code} ${quoteText(packet.message)}`, fields: [] };
    case "option-ack":
      return { line, fields: printTftpOptions(packet.options) };
  }
}

function printTftpOptions(options: TftpOptions): PrintedField[] {
  return Array.from(options, ([name, value]) => ({
    label: `option ${quoteText(name)}`,
    value: quoteText(value),
  }));
}

function printMagicPacket(route: string, payload: Uint8Array): Printed {
  const packet = decodeMagicPacket(payload);
  const password = packet.secureOnPassword === undefined ? "" : ", with a SecureOn password";
  return { line: `${route}  wake-up of ${packet.mac}${password}`, fields: [] };
}

function printImagingData(route: string, payload: Uint8Array): Printed {
  const packet = decodeDataPacket(payload);
  const block =
    packet.kind === "data"
      ? `block ${packet.blockIndex}`
      : `parity ${packet.blockIndex & 0xff} of stripe ${packet.blockIndex >> 8}`;
  const place = `chunk ${packet.chunkIndex} ${block}`;
  const line = `${route}  imaging session ${packet.sessionId} sequence ${packet.sequence} ${place}`;
  return {
    line,
    fields: [{ label: "sealed", value: `${packet.block.byteLength} of ${packet.frameSizeBytes} bytes` }],
  };
}

/** Both ways share the magic; byte 5 says which way. */
function printDiscovery(route: string, payload: Uint8Array): Printed {
  if (payload[5] === 1) {
    const request = decodeGetServerRequest(payload);
    return {
      line: `${route}  discovery request`,
      fields: [
        { label: "MAC addresses", value: request.macs.join(", ") },
        { label: "nonce", value: formatHex(request.nonce) },
      ],
    };
  }
  const answer = decodeGetServerAnswer(payload);
  return {
    line: `${route}  discovery answer from ${quoteText(answer.serverName)} at ${answer.address}:${answer.port}`,
    fields: [
      { label: "knows the computer", value: answer.isKnown ? "yes" : "no" },
      { label: "nonce", value: formatHex(answer.nonce) },
      { label: "site key", value: `${answer.siteKey.byteLength} bytes, signature not checked here` },
    ],
  };
}

function startsWith(payload: Uint8Array, start: readonly number[]): boolean {
  return payload.byteLength >= start.length && start.every((byte, index) => payload[index] === byte);
}
