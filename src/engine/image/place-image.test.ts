import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileSystemName } from "#wire/filesystem/detect-file-system.ts";
import type { ImageLayout } from "./layout.ts";
import { memoryNeeded, placeImage, type Placement } from "./place-image.ts";

const mib = 1 << 20;

function layoutOf(parts: readonly (readonly [FileSystemName, number, number])[]): ImageLayout {
  const partitions = parts.map(([fileSystem, startMib, sizeMib], index) => ({
    number: index + 1,
    startBytes: startMib * mib,
    sizeBytes: sizeMib * mib,
    typeId: "",
    name: "",
    fileSystem,
    taken: "used" as const,
    usedBytes: 10 * mib,
    note: null,
  }));
  return { tableType: "gpt", sectorSizeBytes: 512, partitions };
}

const layout = layoutOf([
  ["fat", 1, 32],
  ["ext", 33, 200],
  ["xfs", 233, 66],
]);

function placed(placement: Placement): Extract<Placement, { type: "placed" }> {
  assert.equal(placement.type, "placed", placement.type === "refused" ? placement.reason : "");
  return placement;
}

/** Every byte of the image has one place, and no two pieces on the disk overlap. */
function assertSound(
  { segments }: Extract<Placement, { type: "placed" }>,
  imageMib: number,
  diskMib: number,
): void {
  let at = 0;
  for (const segment of segments) {
    assert.equal(segment.imageStartBytes, at);
    at += segment.sizeBytes;
  }
  assert.equal(at, imageMib * mib);
  let end = 0;
  for (const { placeStartBytes, sizeBytes } of segments
    .filter(({ place }) => place === "disk")
    .toSorted((a, b) => a.placeStartBytes - b.placeStartBytes)) {
    assert.ok(placeStartBytes >= end);
    end = placeStartBytes + sizeBytes;
  }
  assert.ok(end <= diskMib * mib - 34 * 512);
}

test("image placement: the last partition takes what a larger disk has more", () => {
  const found = placed(placeImage(layout, 300 * mib, 500 * mib, { partition: "last", mayShrink: false }));
  assertSound(found, 300, 500);
  assert.equal(found.resize?.change, "grow");
  assert.deepEqual(found.partitions.at(-1), { number: 3, startBytes: 233 * mib, sizeBytes: 266 * mib });
});

test("image placement: a named partition shrinks, what lies beyond goes to memory, those behind it move", () => {
  const found = placed(placeImage(layout, 300 * mib, 250 * mib, { partition: 2, mayShrink: true }));
  assertSound(found, 300, 250);
  assert.equal(found.resize?.change, "shrink");
  assert.deepEqual(found.partitions[1], { number: 2, startBytes: 33 * mib, sizeBytes: 150 * mib });
  assert.deepEqual(found.partitions[2], { number: 3, startBytes: 183 * mib, sizeBytes: 66 * mib });
  const chunks = Array.from({ length: 300 }, (_, index) => (index === 200 || index === 299 ? "x" : null));
  assert.equal(memoryNeeded(found.segments, chunks, mib), 2 * mib);
});

test("image placement: a named partition grows, those behind it move back", () => {
  const found = placed(placeImage(layout, 300 * mib, 400 * mib, { partition: 2, mayShrink: true }));
  assertSound(found, 300, 400);
  assert.deepEqual([found.resize?.change, found.resize?.oldSizeBytes], ["grow", 200 * mib]);
  assert.deepEqual(found.partitions, [
    { number: 1, startBytes: mib, sizeBytes: 32 * mib },
    { number: 2, startBytes: 33 * mib, sizeBytes: 300 * mib },
    { number: 3, startBytes: 333 * mib, sizeBytes: 66 * mib },
  ]);
  const inMemory = found.segments.filter(({ place }) => place === "memory");
  assert.deepEqual(
    inMemory.map(({ imageStartBytes }) => imageStartBytes),
    [299 * mib],
    "only the old backup of the table",
  );
});

test("image placement: what cannot be done is refused with the way out", () => {
  const refusal = (rule: Parameters<typeof placeImage>[3], diskMib: number): string => {
    const found = placeImage(layout, 300 * mib, diskMib * mib, rule);
    return found.type === "refused" ? found.reason : "";
  };
  assert.match(refusal({ partition: "last", mayShrink: true }, 250), /xfs\) cannot shrink; name another/);
  assert.match(refusal({ partition: 1, mayShrink: true }, 500), /fat\) cannot grow/);
  assert.match(refusal({ partition: 9, mayShrink: true }, 500), /no partition 9; it has: 1, 2, 3/);
  assert.match(refusal({ partition: 2, mayShrink: false }, 250), /allow shrinking/);
  assert.match(refusal({ partition: 2, mayShrink: true }, 105), /too small: partition 2 \(ext\) holds 11 MB/);
  assert.match(refusal({ partition: 2, mayShrink: true }, 50), /too small/);
  const none = placeImage(undefined, mib, mib, { partition: "last", mayShrink: true });
  assert.equal(none.type, "refused");
});

test("image placement: every size of disk gives a sound placement or a refusal", () => {
  for (let diskMib = 2; diskMib < 700; diskMib += 1) {
    for (const partition of ["last", 1, 2, 3] as const) {
      const found = placeImage(layout, 300 * mib, diskMib * mib, { partition, mayShrink: true });
      if (found.type === "placed") {
        assertSound(found, 300, diskMib);
      }
    }
  }
});
