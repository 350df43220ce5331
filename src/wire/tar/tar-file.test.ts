import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { WireError } from "../bytes/wire-error.ts";
import { decodeTar, encodeTar } from "./tar-file.ts";

const entries = [
  { path: "change-request.md", bytes: new TextEncoder().encode("# hello\n") },
  { path: "devices/far/a.nft", bytes: new Uint8Array(512).fill(65) },
  { path: "empty", bytes: new Uint8Array(0) },
];

test("tar: what was put in comes out", () => {
  assert.deepEqual(
    decodeTar(encodeTar(entries, 0)).map(({ path, bytes }) => [path, [...bytes]]),
    entries.map(({ path, bytes }) => [path, [...bytes]]),
  );
});

test("tar: the system's own tar lists it and reads it", () => {
  const archive = encodeTar(entries, 1_000_000_000);
  const list = execFileSync("tar", ["-tvf", "-"], { input: archive, encoding: "utf8" });
  assert.match(list, /change-request\.md/);
  assert.equal(list.trim().split("\n").length, 3);
  const text = execFileSync("tar", ["-xOf", "-", "change-request.md"], { input: archive, encoding: "utf8" });
  assert.equal(text, "# hello\n");
});

test("tar: paths that are absolute or climb are refused on both sides", () => {
  for (const path of ["/etc/passwd", "../x", "a/../b", "a//b", "", "x".repeat(101)]) {
    assert.throws(() => encodeTar([{ path, bytes: new Uint8Array(1) }], 0), WireError, path);
  }
});

test("tar: every truncation is an error, never a shorter archive", () => {
  const archive = encodeTar(entries, 0);
  for (let length = 0; length <= archive.byteLength - 1024; length += 37) {
    assert.throws(() => decodeTar(archive.subarray(0, length)), WireError, String(length));
  }
});

test("tar: a changed header is an error", () => {
  const archive = encodeTar(entries, 0);
  archive[3] = (archive[3] ?? 0) ^ 1;
  assert.throws(() => decodeTar(archive), /archive header/);
});
