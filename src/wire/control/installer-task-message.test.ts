import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../bytes/wire-error.ts";
import { answersLengthMax, commandLineLengthMax } from "./installer-task-message.ts";
import { decodeServerMessage } from "./message.ts";

const task = {
  kind: "deploy-installer",
  content: {
    contentId: "c".repeat(64),
    sizeBytes: 50_000_000,
    transfer: { port: 1234, ticket: "t".repeat(32) },
  },
  kernelSizeBytes: 8_000_000,
  commandLine: "auto=true priority=critical",
  answers: { fileName: "preseed.cfg", text: "d-i\tx\n\u0000ä" },
};

function decode(change: object): unknown {
  return decodeServerMessage({ type: "task", key: "j.c:0:1", task: { ...task, ...change } });
}

test("installer's task: what is sent is read as it is, answers to the last byte", () => {
  assert.deepEqual(decode({}), { type: "task", key: "j.c:0:1", task });
  assert.deepEqual(decode({ answers: null }), {
    type: "task",
    key: "j.c:0:1",
    task: { ...task, answers: null },
  });
  const start = { type: "task", key: "j.c:0:1:start", task: { kind: "start-installer" } };
  assert.deepEqual(decodeServerMessage(start), start);
});

test("installer's task: a command line of two lines, and what is too long or missing, is refused", () => {
  for (const change of [
    { commandLine: "a\nb" },
    { commandLine: "a".repeat(commandLineLengthMax + 1) },
    { answers: { fileName: "a", text: "a".repeat(answersLengthMax + 1) } },
    { answers: { fileName: "a\0b", text: "" } },
    { answers: "text" },
    { kernelSizeBytes: 0 },
    { content: null },
  ]) {
    assert.throws(() => decode(change), WireError, JSON.stringify(change).slice(0, 80));
  }
});
