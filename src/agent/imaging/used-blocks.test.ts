import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeRanges, RangeCursor } from "./byte-range.ts";
import { parseDomainMap } from "./used-blocks.ts";

const map = `# Domain logfile created by partclone
# current_pos  current_status
0x03000     ?
#      pos        size  status
0x00000000  0x00001000  +
0x00001000  0x00001000  ?
0x00002000  0x00001000  +
`;

test("blocks in use: those of the map, and what it does not reach", () => {
  assert.deepEqual(parseDomainMap(map, 0x3200), [
    { startBytes: 0, sizeBytes: 0x1000 },
    { startBytes: 0x2000, sizeBytes: 0x1000 },
    { startBytes: 0x3000, sizeBytes: 0x200 },
  ]);
  assert.deepEqual(parseDomainMap("", 100), [{ startBytes: 0, sizeBytes: 100 }]);
});

test("byte ranges: merged where they touch, found by windows that go forward", () => {
  const merged = mergeRanges([
    { startBytes: 50, sizeBytes: 10 },
    { startBytes: 0, sizeBytes: 10 },
    { startBytes: 10, sizeBytes: 5 },
    { startBytes: 52, sizeBytes: 2 },
  ]);
  assert.deepEqual(merged, [
    { startBytes: 0, sizeBytes: 15 },
    { startBytes: 50, sizeBytes: 10 },
  ]);
  const cursor = new RangeCursor(merged);
  assert.deepEqual(cursor.within(0, 10), [{ startBytes: 0, sizeBytes: 10 }]);
  assert.deepEqual(cursor.within(10, 20), [{ startBytes: 10, sizeBytes: 5 }]);
  assert.deepEqual(cursor.within(20, 30), []);
  assert.deepEqual(cursor.within(40, 100), [{ startBytes: 50, sizeBytes: 10 }]);
});
