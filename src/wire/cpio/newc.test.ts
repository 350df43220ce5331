import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { encodeNewcArchive, fillBeforeArchive } from "./newc.ts";

const hasCpio = existsSync("/usr/bin/cpio") || existsSync("/bin/cpio");
const skip = hasCpio ? false : "cpio is not installed";
const encoder = new TextEncoder();

function extract(t: { after: (done: () => void) => void }, archive: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-cpio-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ended = spawnSync("cpio", ["--extract", "--quiet", "--no-preserve-owner"], {
    cwd: folder,
    input: archive,
  });
  assert.equal(ended.stderr.toString(), "");
  assert.equal(ended.status, 0);
  return folder;
}

test("cpio archive: cpio reads names, contents and modes of every size modulo four", { skip }, (t) => {
  const files = [0, 1, 2, 3, 4, 5, 1000].map((sizeBytes) => ({
    name: `${"n".repeat((sizeBytes % 5) + 1)}-${sizeBytes}.cfg`,
    content: encoder.encode("ä".repeat(sizeBytes)).subarray(0, sizeBytes),
    mode: 0o640,
  }));
  const folder = extract(t, encodeNewcArchive(files));
  for (const { name, content } of files) {
    assert.deepEqual(readFileSync(join(folder, name)), Buffer.from(content), name);
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o640);
  }
});

test(
  "cpio archive: equals what cpio itself writes, but for inode numbers and the fill at its end",
  { skip },
  (t) => {
    const archive = encodeNewcArchive([
      { name: "preseed.cfg", content: encoder.encode("d-i\n"), mode: 0o600 },
    ]);
    const folder = extract(t, archive);
    const made = spawnSync(
      "sh",
      ["-c", "touch -d @0 preseed.cfg && echo preseed.cfg | cpio -o -H newc -R 0:0 --reproducible --quiet"],
      { cwd: folder },
    );
    const text = (bytes: Uint8Array): string => {
      const latin = Buffer.from(bytes).toString("latin1");
      // Number of the file, which may be any.
      return latin
        .replace(/^070701[0-9A-Fa-f]{8}/, "070701........")
        .replace(/\0+$/, "")
        .toLowerCase();
    };
    assert.equal(text(archive), text(made.stdout));
  },
);

test("cpio archive: begins at a multiple of four behind any initrd", () => {
  for (let sizeBytes = 0; sizeBytes < 40; sizeBytes += 1) {
    const initrd = gzipSync(Buffer.alloc(sizeBytes)).subarray(0, sizeBytes);
    assert.equal((initrd.byteLength + fillBeforeArchive(initrd.byteLength).byteLength) % 4, 0);
  }
});
