import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { WireError } from "../bytes/wire-error.ts";
import { decodeEthernetFrame, encodeEthernetFrame } from "../ethernet/ethernet-frame.ts";
import { decodeIpv4Packet, encodeIpv4Packet } from "../ethernet/ipv4-packet.ts";
import { decodeUdpDatagram } from "../ethernet/udp-datagram.ts";
import { readCapture } from "../pcap/read-capture.ts";
import type { DhcpOptions } from "./dhcp-options.ts";
import { clientArchitectures } from "./options/client-architecture.ts";
import { clientUuid, formatSystemUuid } from "./options/client-uuid.ts";
import { messageSizeLimitBytes } from "./options/maximum-message-size.ts";
import { relayAgentInformation } from "./options/relay-agent-information.ts";
import { vendorClass } from "./options/texts.ts";
import { isIpxeUserClass } from "./options/user-class.ts";
import { type DhcpPacket, decodeDhcpPacket, encodeDhcpPacket } from "./packet.ts";

const folder = join(import.meta.dirname, "fixtures");

type Message = { readonly name: string; readonly sourcePort: number; readonly bytes: Uint8Array };

const messages: readonly Message[] = readdirSync(folder)
  .filter((name) => name.endsWith(".pcap"))
  .toSorted()
  .flatMap((name) =>
    Array.from(readCapture(new Uint8Array(readFileSync(join(folder, name)))), (frame, index) => {
      const packet = decodeIpv4Packet(decodeEthernetFrame(frame.bytes).payload);
      const { sourcePort, payload } = decodeUdpDatagram(packet.payload, packet);
      return { name: `${name} frame ${index + 1}`, sourcePort, bytes: payload };
    }),
  );

function firstRequest(fixture: string): DhcpPacket {
  const found = messages.find((message) => message.name === `${fixture}.pcap frame 1`);
  assert.ok(found !== undefined, fixture);
  return decodeDhcpPacket(found.bytes);
}

/** Order with 53 first and 82 last, as the encoder has it. */
function isCanonical(options: DhcpOptions): boolean {
  const codes = options.map((option) => option.code);
  return codes[0] === 53 && (!codes.includes(82) || codes.at(-1) === 82);
}

describe("DHCP messages of real firmware", () => {
  test("there are captures of nine boots, and every message decodes", () => {
    assert.ok(messages.length >= 50, `${messages.length} messages`);
    for (const message of messages) {
      assert.equal(decodeDhcpPacket(message.bytes).hardwareAddress.byteLength, 6, message.name);
    }
  });

  test("what they encode to decodes to the same value, unknown options included", () => {
    for (const message of messages) {
      const packet = decodeDhcpPacket(message.bytes);
      assert.deepEqual(decodeDhcpPacket(encodeDhcpPacket(packet, 1472)), packet, message.name);
    }
  });

  test("those in our order of options encode to the very same bytes, but for padding", () => {
    let sameCount = 0;
    for (const message of messages) {
      const packet = decodeDhcpPacket(message.bytes);
      if (isCanonical(packet.options)) {
        const encoded = encodeDhcpPacket(packet, 1472);
        const size = Math.max(encoded.byteLength, message.bytes.byteLength);
        const padded = (bytes: Uint8Array): string =>
          Buffer.from(bytes)
            .toString("hex")
            .padEnd(2 * size, "0");
        assert.equal(padded(encoded), padded(message.bytes), message.name);
        sameCount += 1;
      }
    }
    assert.ok(sameCount >= 40, `${sameCount} of ${messages.length}`);
  });

  test("every truncation raises WireError, or loses whole options and nothing else", () => {
    for (const message of messages) {
      const whole = decodeDhcpPacket(message.bytes);
      for (let sizeBytes = 0; sizeBytes < message.bytes.byteLength; sizeBytes += 1) {
        try {
          const cut = decodeDhcpPacket(message.bytes.subarray(0, sizeBytes));
          assert.deepEqual(cut.options, whole.options.slice(0, cut.options.length), message.name);
        } catch (error) {
          assert.ok(error instanceof WireError, `${message.name} cut to ${sizeBytes}: ${String(error)}`);
        }
        if (sizeBytes < 240) {
          assert.throws(
            () => decodeDhcpPacket(message.bytes.subarray(0, sizeBytes)),
            /^WireError: truncated/,
          );
        }
      }
    }
  });

  test("a message inside a larger buffer decodes the same", () => {
    for (const message of messages) {
      const larger = new Uint8Array(message.bytes.byteLength + 20).fill(0x35);
      larger.set(message.bytes, 7);
      const view = larger.subarray(7, 7 + message.bytes.byteLength);
      assert.deepEqual(decodeDhcpPacket(view), decodeDhcpPacket(message.bytes), message.name);
    }
  });

  test("every firmware sends the bytes of its SMBIOS UUID unchanged", () => {
    for (const message of messages) {
      const uuid = clientUuid(decodeDhcpPacket(message.bytes).options);
      if (uuid !== undefined) {
        assert.equal(formatSystemUuid(uuid.bytes), "11223344-5566-7788-99aa-bbccddeeff00", message.name);
      }
    }
  });

  test("firmware and second stage are told apart by architecture, vendor class and user class", () => {
    const rom = firstRequest("seabios-ipxe-rom-proxydhcp").options;
    assert.deepEqual(clientArchitectures(rom), [0]);
    assert.ok(isIpxeUserClass(rom));
    const ovmf = firstRequest("ovmf-pxe-proxydhcp").options;
    assert.deepEqual(clientArchitectures(ovmf), [7]);
    assert.ok(!isIpxeUserClass(ovmf));
    const http = firstRequest("ovmf-http-boot").options;
    assert.deepEqual(clientArchitectures(http), [16]);
    assert.match(vendorClass(http) ?? "", /^HTTPClient:Arch:00016/);
    assert.ok(isIpxeUserClass(firstRequest("ipxe-snponly-after-http-boot").options));
  });

  test("a relayed request names its relay; the largest message OVMF announces is cut to one frame", () => {
    const relayed = firstRequest("ovmf-pxe-relay");
    assert.equal(relayed.relayAddress, "10.77.0.254");
    assert.equal(relayed.hops, 1);
    assert.equal(Buffer.from(relayAgentInformation(relayed.options)?.circuitId ?? []).toString(), "br0");
    for (const message of messages) {
      assert.ok(messageSizeLimitBytes(decodeDhcpPacket(message.bytes).options) <= 1472, message.name);
    }
  });

  test("OVMF asks port 4011 from port 4011, iPXE from 68", () => {
    const sourcePorts = (fixture: string): Set<number> =>
      new Set(
        messages.filter((message) => message.name.startsWith(fixture)).map((message) => message.sourcePort),
      );
    assert.ok(sourcePorts("ovmf-pxe-proxydhcp").has(4011));
    assert.deepEqual(sourcePorts("ipxe-snponly-after-http-boot"), new Set([68, 67]));
  });

  test("frames and IP packets encode to the very bytes that were captured", () => {
    for (const name of readdirSync(folder).filter((file) => file.endsWith(".pcap"))) {
      for (const captured of readCapture(new Uint8Array(readFileSync(join(folder, name))))) {
        const frame = decodeEthernetFrame(captured.bytes);
        assert.deepEqual(encodeEthernetFrame(frame), captured.bytes);
        const packet = decodeIpv4Packet(frame.payload);
        assert.ok(packet.isChecksumRight);
        assert.deepEqual(encodeIpv4Packet(packet), frame.payload.slice());
      }
    }
  });
});
