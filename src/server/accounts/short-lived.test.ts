import assert from "node:assert/strict";
import { test } from "node:test";
import { ShortLived } from "./short-lived.ts";

test("short-lived: a value is taken once, and not after its time", () => {
  const values = new ShortLived<string>(1000);
  values.add("a", "first", "one", 0);
  values.add("b", "second", "one", 0);
  assert.equal(values.take("a", 1000), "first");
  assert.equal(values.take("a", 1000), null);
  assert.equal(values.take("b", 1001), null);
});

test("short-lived: who begins without end displaces his own, and nobody else's", () => {
  const values = new ShortLived<number>(1000);
  values.add("mine", 0, "me", 0);
  for (let index = 1; index <= 21; index += 1) {
    values.add(`his-${index}`, index, "him", 0);
  }
  assert.equal(values.take("his-1", 1), null);
  assert.equal(values.take("his-2", 1), 2);
  assert.equal(values.take("mine", 1), 0);
});
