import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stripeCount } from "#wire/multicast/data-packet.ts";
import { createPlainKernel } from "./galois-kernel.ts";
import { parityCountMax, ParityCode } from "./parity-code.ts";

const code = new ParityCode();

/** Plain arithmetic, bit by bit, to compare the kernel with. */
function slowMultiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit += 1) {
    product ^= (b >> bit) & 1 ? a << bit : 0;
  }
  for (let bit = 14; bit >= 8; bit -= 1) {
    product ^= (product >> bit) & 1 ? 0x11d << (bit - 8) : 0;
  }
  return product;
}

function slowInverse(a: number): number {
  return Array.from({ length: 256 }, (_, b) => b).find((b) => slowMultiply(a, b) === 1) ?? 0;
}

function frameOf(sizeBytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, index) => (index * 2654435761 + seed * 40503) >>> 11);
}

test("parity: the kernel agrees with arithmetic bit by bit", () => {
  const blockSizeBytes = 70;
  const frame = frameOf(blockSizeBytes * stripeCount * 3 - 5, 1);
  const [parity] = code.encode(frame, blockSizeBytes, 1, 2, 1);
  const expected = Array.from({ length: blockSizeBytes }, (_, byte) => {
    const places = [0, 1, 2].map((place) => {
      const value = frame[(place * stripeCount + 1) * blockSizeBytes + byte] ?? 0;
      return slowMultiply(value, slowInverse((255 - 2) ^ place));
    });
    return places.reduce((sum, value) => sum ^ value, 0);
  });
  assert.deepEqual([...(parity ?? [])], expected);
});

test("parity: any e parity blocks restore any e lacking blocks, the short last one included", () => {
  const blockSizeBytes = 64;
  const scene = fc.record({
    blockCount: fc.integer({ min: 1, max: 120 }),
    tailBytes: fc.integer({ min: 1, max: blockSizeBytes }),
    stripe: fc.integer({ min: 0, max: stripeCount - 1 }),
    lacking: fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 8 }),
    indices: fc.uniqueArray(fc.nat(63), { minLength: 8, maxLength: 8 }),
    seed: fc.nat(1000),
  });
  fc.assert(
    fc.property(scene, ({ blockCount, tailBytes, stripe, lacking: chosen, indices, seed }) => {
      const frame = frameOf((blockCount - 1) * blockSizeBytes + tailBytes, seed);
      const lacking = chosen
        .map((place) => place * stripeCount + stripe)
        .filter((block) => block < blockCount)
        .toSorted((a, b) => a - b);
      const parity = indices.flatMap((index) =>
        code.encode(frame, blockSizeBytes, stripe, index, 1).map((block) => ({ index, block })),
      );
      const damaged = Uint8Array.from(frame);
      for (const block of lacking) {
        damaged.fill(0xee, block * blockSizeBytes, (block + 1) * blockSizeBytes);
      }
      code.restore(damaged, blockSizeBytes, stripe, lacking, parity);
      assert.deepEqual(damaged, frame);
    }),
    { numRuns: 200 },
  );
});

test("parity: a stripe of a full chunk in Ethernet datagrams has 64, of tiny blocks none", () => {
  assert.equal(parityCountMax((1 << 20) + 4096, 1448), 64);
  assert.equal(parityCountMax((1 << 20) + 4096, 256), 0);
});

test("parity: on a processor without SIMD the plain kernel gives the same blocks, and restores", () => {
  const plain = new ParityCode(createPlainKernel());
  const blockSizeBytes = 1388;
  const frame = frameOf(300_000, 7);
  const parity = plain.encode(frame, blockSizeBytes, 2, 3, 8);
  assert.deepEqual(parity, code.encode(frame, blockSizeBytes, 2, 3, 8));
  // Rows for so many lacking blocks need more memory than there is at first.
  const many = plain.encode(frameOf(1_000_000, 9), 8000, 0, 0, 64);
  assert.deepEqual(many, code.encode(frameOf(1_000_000, 9), 8000, 0, 0, 64));
  const damaged = frame.slice();
  const lacking = [2, 2 + stripeCount, 2 + 5 * stripeCount];
  for (const block of lacking) {
    damaged.fill(0xee, block * blockSizeBytes, (block + 1) * blockSizeBytes);
  }
  const got = parity.map((block, place) => ({ index: 3 + place, block }));
  plain.restore(damaged, blockSizeBytes, 2, lacking, got);
  assert.deepEqual(damaged, frame);
});
