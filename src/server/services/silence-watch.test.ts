import assert from "node:assert/strict";
import { test } from "node:test";
import { SilenceWatch } from "./silence-watch.ts";

test("silence watch: a connection that says nothing is silent after the time, and not before", () => {
  const watch = new SilenceWatch(60_000);
  const connection = { bytesRead: 10 };
  assert.equal(watch.isSilent(connection, 1000), false);
  assert.equal(watch.isSilent(connection, 60_999), false);
  assert.equal(watch.isSilent(connection, 61_000), true);
});

test("silence watch: a single byte begins the time anew", () => {
  const watch = new SilenceWatch(60_000);
  const connection = { bytesRead: 10 };
  watch.isSilent(connection, 0);
  connection.bytesRead += 1;
  assert.equal(watch.isSilent(connection, 59_000), false);
  assert.equal(watch.isSilent(connection, 100_000), false);
  assert.equal(watch.isSilent(connection, 119_000), true);
});
