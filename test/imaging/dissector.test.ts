import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { encodeUdpFrame } from "#wire/ethernet/udp-frame.ts";
import { type DataPacket, encodeDataPacket } from "#wire/multicast/data-packet.ts";
import { networkTestObstacle } from "../network-hosts.ts";

const packet: DataPacket = {
  kind: "data",
  sessionId: 77,
  sequence: 12,
  chunkIndex: 3,
  frameSizeBytes: 900,
  blockIndex: 2,
  blockSizeBytes: 400,
  block: new Uint8Array(100).fill(0xab),
};
const parity: DataPacket = {
  ...packet,
  kind: "parity",
  sequence: 13,
  blockIndex: 2 * 256 + 5,
  block: new Uint8Array(400),
};

/** Classic pcap of Ethernet frames. */
function encodeCapture(frames: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const records = frames.flatMap((frame) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.byteLength, 8);
    record.writeUInt32LE(frame.byteLength, 12);
    return [record, frame];
  });
  return Buffer.concat([header, ...records]);
}

test("dissector: tshark names the fields of data and parity as the protocol document does", (t) => {
  const obstacle = networkTestObstacle("tshark");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "portolan-dissector-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const frames = [packet, parity].map((one) =>
    encodeUdpFrame({
      sourceMac: MacAddress.parse("52:54:00:00:00:01"),
      destinationMac: MacAddress.parse("01:00:5e:02:00:02"),
      source: Ipv4Address.parse("10.8.0.1"),
      destination: Ipv4Address.parse("224.2.0.2"),
      sourcePort: 40_000,
      destinationPort: 401,
      payload: encodeDataPacket(one),
    }),
  );
  const capture = join(folder, "session.pcap");
  writeFileSync(capture, encodeCapture(frames));
  const fields = ["session", "sequence", "chunk", "frame_size", "block", "stripe", "parity"];
  const output = execFileSync(
    "tshark",
    [
      ...["-X", "lua_script:tools/wireshark/portolan-multicast.lua", "-r", capture, "-T", "fields"],
      ...["-E", "separator=,", ...fields.flatMap((field) => ["-e", `portolan_mc.${field}`])],
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  assert.deepEqual(output.trim().split("\n"), ["77,12,3,900,2,,", "77,13,3,900,,2,5"]);
});
