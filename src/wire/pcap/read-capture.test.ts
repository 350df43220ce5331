import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { WireError } from "../bytes/wire-error.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { encodePcap } from "./pcap-file.ts";
import { readCapture } from "./read-capture.ts";

const frame = { atUs: 1_764_000_000_123_456n, linkType: 1, originalBytes: 60, bytes: Uint8Array.of(1, 2, 3) };

const withCode = (code: string): ((error: unknown) => boolean) => {
  return (error) => error instanceof WireError && error.code === code;
};

/** Little-endian blocks, as tcpdump and Wireshark write them on most computers. */
function block(type: number, body: Uint8Array): Uint8Array {
  const totalBytes = 12 + body.byteLength;
  return new ByteWriter()
    .uint32LittleEndian(type)
    .uint32LittleEndian(totalBytes)
    .put(body)
    .uint32LittleEndian(totalBytes)
    .finish();
}

function pcapng(...blocks: readonly Uint8Array[]): Uint8Array {
  const order = new ByteWriter().uint32LittleEndian(0x1a2b3c4d).uint32LittleEndian(1);
  const header = block(0x0a0d0d0a, order.put(new Uint8Array(8).fill(0xff)).finish());
  return Uint8Array.from(Buffer.concat([header, ...blocks]));
}

/** `unit` is option 9: 6 = µs, 9 = ns, 0x8a = 1/1024 s. */
function interfaceBlock(unit: number): Uint8Array {
  const writer = new ByteWriter().uint16LittleEndian(1).uint16LittleEndian(0).uint32LittleEndian(0);
  writer.uint16LittleEndian(9).uint16LittleEndian(1).uint8(unit).zeros(3).uint32LittleEndian(0);
  return block(1, writer.finish());
}

function enhancedBlock(options: { units: bigint; interfaceIndex?: number; keptBytes?: number }): Uint8Array {
  const writer = new ByteWriter()
    .uint32LittleEndian(options.interfaceIndex ?? 0)
    .uint32LittleEndian(Number(options.units >> 32n))
    .uint32LittleEndian(Number(options.units & 0xffffffffn))
    .uint32LittleEndian(options.keptBytes ?? 3)
    .uint32LittleEndian(60);
  return block(6, writer.put(Uint8Array.of(1, 2, 3, 0)).finish());
}

function record(unit: "us" | "ns", put: (writer: ByteWriter, value: number) => void): Uint8Array {
  const writer = new ByteWriter();
  put(writer, unit === "us" ? 0xa1b2c3d4 : 0xa1b23c4d);
  writer.zeros(16);
  put(writer, 1);
  for (const value of [1_764_000_000, unit === "us" ? 123_456 : 123_456_789, 3, 60]) {
    put(writer, value);
  }
  return writer.put(frame.bytes).finish();
}

function read(bytes: Uint8Array): unknown {
  return [...readCapture(bytes)];
}

describe("capture files", () => {
  test("pcap: frames read back as written", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (all) => {
        const frames = all.map((bytes, index) => ({ ...frame, atUs: frame.atUs + BigInt(index), bytes }));
        assert.deepEqual([...readCapture(encodePcap(1, frames))], frames);
      }),
    );
  });

  test("pcap: both byte orders and both units of time give the same frame", () => {
    for (const unit of ["us", "ns"] as const) {
      assert.deepEqual([...readCapture(record(unit, (writer, value) => writer.uint32(value)))], [frame]);
      assert.deepEqual(
        [...readCapture(record(unit, (writer, value) => writer.uint32LittleEndian(value)))],
        [frame],
      );
    }
  });

  test("pcapng: times in µs, ns and powers of two; unknown blocks are passed over", () => {
    const unknown = block(0x0bad, Uint8Array.of(1, 2, 3, 4));
    const inMicroseconds = pcapng(interfaceBlock(6), unknown, enhancedBlock({ units: frame.atUs }));
    assert.deepEqual([...readCapture(inMicroseconds)], [frame]);
    const inNanoseconds = pcapng(interfaceBlock(9), enhancedBlock({ units: frame.atUs * 1000n + 999n }));
    assert.deepEqual([...readCapture(inNanoseconds)], [frame]);
    const inBits = pcapng(interfaceBlock(0x8a), enhancedBlock({ units: 1536n }));
    assert.equal([...readCapture(inBits)][0]?.atUs, 1_500_000n);
  });

  test("pcapng: a second section starts its interfaces anew", () => {
    const first = pcapng(interfaceBlock(6), enhancedBlock({ units: 1n }));
    const withoutInterface = Uint8Array.from(Buffer.concat([first, pcapng(enhancedBlock({ units: 2n }))]));
    const frames: bigint[] = [];
    assert.throws(() => {
      for (const found of readCapture(withoutInterface)) {
        frames.push(found.atUs);
      }
    }, withCode("bad-value"));
    assert.deepEqual(frames, [1n]);
  });

  test("damage is named: wrong magic, a frame that is too long, a size that does not match", () => {
    assert.throws(() => read(Uint8Array.of(1, 2, 3)), withCode("truncated"));
    assert.throws(() => read(Uint8Array.of(1, 2, 3, 4)), withCode("bad-magic"));
    const long = encodePcap(1, [frame]);
    long.set([0xff, 0xff, 0xff, 0xff], 24 + 8);
    assert.throws(() => read(long), withCode("too-long"));
    const kept = pcapng(interfaceBlock(6), enhancedBlock({ units: 1n, keptBytes: 5 }));
    assert.throws(() => read(kept), withCode("truncated"));
    const sizes = pcapng(interfaceBlock(6));
    sizes[sizes.byteLength - 4] = 0;
    assert.throws(() => read(sizes), withCode("bad-length"));
    const zero = pcapng(interfaceBlock(6));
    zero.fill(0, 32, 36);
    assert.throws(() => read(zero), withCode("bad-length"));
  });

  test("every truncation of both formats raises WireError or ends after a whole frame", () => {
    const files = [
      encodePcap(1, [frame, frame]),
      pcapng(interfaceBlock(6), enhancedBlock({ units: 1n }), enhancedBlock({ units: 2n })),
    ];
    for (const file of files) {
      for (let sizeBytes = 0; sizeBytes < file.byteLength; sizeBytes += 1) {
        try {
          assert.ok([...readCapture(file.subarray(0, sizeBytes))].length < 2);
        } catch (error) {
          assert.ok(error instanceof WireError, String(error));
        }
      }
    }
  });
});
