import assert from "node:assert/strict";
import { test } from "node:test";
import { RateCap } from "./rate-cap.ts";

test("a rate cap lets through, over ten seconds, what the rate allows and half a second more", () => {
  const cap = new RateCap();
  let nowMs = 5000;
  let sentBytes = 0;
  while (nowMs < 15_000) {
    sentBytes += 50_000;
    nowMs += cap.take(50_000, 8, nowMs);
  }
  // 8 Mbit/s are a million bytes a second.
  assert.ok(sentBytes >= 9_950_000 && sentBytes <= 10_600_000, String(sentBytes));
});

test("a rate cap of 0 never waits, and a cap set later does not charge for what went before", () => {
  const cap = new RateCap();
  assert.equal(cap.take(1 << 30, 0, 1000), 0);
  assert.equal(cap.take(125_000, 1, 1000), 1000);
  assert.equal(cap.take(125_000, 1, 2000), 1000);
});

test("a rate cap after a long pause allows half a second's worth at once, not the whole pause", () => {
  const cap = new RateCap();
  cap.take(1, 8, 0);
  assert.equal(cap.take(500_000, 8, 60_000), 0);
  assert.equal(cap.take(500_000, 8, 60_000), 500);
});
