import assert from "node:assert/strict";
import { test } from "node:test";
import { LoginLimit } from "./login-limit.ts";

test("login limit: the eleventh guess at one name waits, another name from elsewhere does not", () => {
  const limit = new LoginLimit();
  for (let guess = 0; guess < 10; guess += 1) {
    assert.equal(limit.waitMs("admin", "10.0.0.1", guess), 0);
    limit.fail("admin", "10.0.0.1", guess);
  }
  assert.equal(limit.waitMs("admin", "10.0.0.9", 1000), 15 * 60_000 - 1000);
  assert.equal(limit.waitMs("other", "10.0.0.9", 1000), 0);
  assert.equal(limit.waitMs("admin", "10.0.0.9", 15 * 60_000), 0);
});

test("login limit: one address that tries many names waits too", () => {
  const limit = new LoginLimit();
  for (let guess = 0; guess < 30; guess += 1) {
    limit.fail(`name${guess}`, "10.0.0.1", 0);
  }
  assert.ok(limit.waitMs("fresh", "10.0.0.1", 1) > 0);
  assert.equal(limit.waitMs("fresh", "10.0.0.2", 1), 0);
});

test("login limit: a right password clears its name", () => {
  const limit = new LoginLimit();
  for (let guess = 0; guess < 10; guess += 1) {
    limit.fail("admin", "10.0.0.1", 0);
  }
  limit.succeed("admin");
  assert.equal(limit.waitMs("admin", "10.0.0.2", 1), 0);
});
