import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutPage, formatNextLink } from "./page-list.ts";

test("pages: put together they are the list, in the order of its key", () => {
  const keys = fc.oneof(fc.uniqueArray(fc.string()), fc.uniqueArray(fc.integer({ min: 0 })));
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 5 }), (ids: (string | number)[], limit) => {
      const items = ids.map((id) => ({ id }));
      const seen: unknown[] = [];
      let after: string | undefined;
      for (let page = 0; page <= ids.length; page += 1) {
        const cut = cutPage(items, "id", { limit, after });
        assert.equal(cut.totalCount, ids.length);
        assert.ok(cut.items.length <= limit);
        seen.push(...cut.items.map((item) => (item as { id: unknown }).id));
        if (cut.next === null) {
          break;
        }
        after = cut.next;
      }
      assert.deepEqual(new Set(seen), new Set(ids));
      assert.equal(seen.length, ids.length);
    }),
  );
});

test("pages: an item that goes between two pages hides no other", () => {
  const items = ["a", "b", "c", "d"].map((id) => ({ id }));
  const first = cutPage(items, "id", { limit: 2, after: undefined });
  assert.equal(first.next, "b");
  const rest = items.filter(({ id }) => id !== "b");
  assert.deepEqual(cutPage(rest, "id", { limit: 2, after: "b" }).items, [{ id: "c" }, { id: "d" }]);
});

test("pages: the next one is named with the same filters", () => {
  assert.equal(
    formatNextLink("/api/v1/computers?limit=2&state=pending&after=x", "c 1"),
    '</api/v1/computers?limit=2&state=pending&after=c+1>; rel="next"',
  );
});
