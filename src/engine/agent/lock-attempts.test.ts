import assert from "node:assert/strict";
import { test } from "node:test";
import { blockedForMs, countAttempt, noAttempts } from "./lock-attempts.ts";

test("lock: five wrong passwords block for a quarter of an hour, however the clock is set", () => {
  let attempts = noAttempts;
  for (let count = 0; count < 4; count += 1) {
    attempts = countAttempt(attempts, 1000);
    assert.equal(blockedForMs(attempts, 1000), 0);
  }
  attempts = countAttempt(attempts, 1000);
  assert.equal(blockedForMs(attempts, 1000), 900_000);
  assert.equal(blockedForMs(attempts, 901_000), 0);
  assert.equal(blockedForMs(attempts, -1e12), 900_000);
});
