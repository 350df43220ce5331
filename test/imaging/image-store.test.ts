import assert from "node:assert/strict";
import { hash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { ImagingSite, run } from "./imaging-site.ts";

const skip = networkTestObstacle("ip", "qemu-img") ?? false;
const mib = 1 << 20;

type Operation = { state: string; detail: string; error: string | null };
type Image = { id: string; name: string; ownBytes: number; storedBytes: number };

function chunkFiles(site: ImagingSite): string[] {
  const folder = join(site.dataDir, "chunks");
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".zst"));
}

function hashOf(path: string): string {
  return hash("sha256", readFileSync(path));
}

/** Two disks that share their first half. */
function makeDisks(site: ImagingSite): { readonly one: string; readonly two: string } {
  const shared = randomBytes(4 * mib);
  const [one, two] = ["one.raw", "two.raw"].map((name) => join(site.folder, name));
  writeFileSync(one ?? "", Buffer.concat([shared, Buffer.alloc(4 * mib), randomBytes(3 * mib + 512)]));
  writeFileSync(two ?? "", Buffer.concat([shared, randomBytes(2 * mib)]));
  return { one: one ?? "", two: two ?? "" };
}

test(
  "images: raw and qcow2 go in, raw, qcow2 and a signed file come out, byte for byte",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, []);
    const { one } = makeDisks(site);
    await site.startServer();
    const path = (name: string): string => join(site.folder, name);
    site.portolan("image", "import", one, "raw");
    run("qemu-img", "convert", "-O", "qcow2", one, path("one.qcow2"));
    site.portolan("image", "import", path("one.qcow2"), "unpacked");
    const images = site.portolan("image", "list") as Image[];
    assert.deepEqual(images.map(({ name }) => name).toSorted(), ["raw", "unpacked"]);
    assert.equal(chunkFiles(site).length, 8, "four shared and four own chunks, each once");

    site.portolan("image", "export", "raw", path("out.raw"));
    assert.equal(hashOf(path("out.raw")), hashOf(one));
    site.portolan("image", "export", "unpacked", path("out.qcow2"));
    run("qemu-img", "convert", "-O", "raw", path("out.qcow2"), path("again.raw"));
    assert.equal(hashOf(path("again.raw")), hashOf(one));
    assert.deepEqual(
      readdirSync(site.folder).filter((name) => name.includes("unfinished") || name.endsWith("qcow2.raw")),
      [],
    );

    site.portolan("image", "export", "raw", path("out.portolan"));
    const other = new ImagingSite(t, []);
    await other.startServer();
    assert.throws(
      () => other.portolan("image", "import", path("out.portolan"), "raw"),
      (error: Error & { stdout?: string }) => /signed by another site, [0-9a-f]{64}/.test(error.stdout ?? ""),
    );
    const { siteKeyFingerprint } = site.portolan("status") as { siteKeyFingerprint: string };
    other.portolan("image", "import", path("out.portolan"), "raw", "--trust", siteKeyFingerprint);
    other.portolan("image", "export", "raw", path("other.raw"));
    assert.equal(hashOf(path("other.raw")), hashOf(one));

    const bytes = readFileSync(path("out.portolan"));
    bytes[bytes.byteLength - 100] = (bytes.at(-100) ?? 0) ^ 1;
    writeFileSync(path("damaged.portolan"), bytes);
    writeFileSync(path("short.portolan"), bytes.subarray(0, -1000));
    for (const name of ["damaged.portolan", "short.portolan"]) {
      assert.throws(
        () => other.portolan("image", "import", path(name), "x", "--trust", siteKeyFingerprint),
        (error: Error & { stdout?: string }) =>
          /damaged in the file|not copied to its end/.test(error.stdout ?? ""),
        name,
      );
    }
  },
);

test("images: a disk on stdin goes in, and nothing of it is left beside the store", { skip }, async (t) => {
  const site = new ImagingSite(t, []);
  const { one } = makeDisks(site);
  await site.startServer();
  const args = ["image", "import", "-", "piped", "--data", site.dataDir];
  const importing = site.hosts.start("server", "bin/portolan", args, {}, "pipe");
  importing.child.stdin?.end(readFileSync(one));
  assert.equal(await importing.waitForEnd(), 0, importing.output());
  const out = join(site.folder, "out.raw");
  site.portolan("image", "export", "piped", out);
  assert.equal(hashOf(out), hashOf(one));
  assert.deepEqual(readdirSync(join(site.dataDir, "incoming")), []);

  const empty = site.hosts.start("server", "bin/portolan", args);
  assert.equal(await empty.waitForEnd(), 2, empty.output());
  assert.match(empty.output(), /nothing came on stdin/);
  assert.deepEqual(readdirSync(join(site.dataDir, "incoming")), []);
});

test(
  "images: prune frees what no image names, also when it was killed, and never anything else",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, []);
    const { one, two } = makeDisks(site);
    await site.startServer();
    site.portolan("image", "import", one, "one");
    site.portolan("image", "import", two, "two");
    const detail = site.portolan("image", "show", "two") as Image;
    assert.ok(detail.ownBytes > 2 * mib - 1000 && detail.ownBytes < detail.storedBytes);
    assert.equal(chunkFiles(site).length, 10);
    const first = site.portolan("image", "prune") as Operation;
    assert.match(first.detail, /^0 chunks removed/);
    site.portolan("image", "remove", "one");
    // A prune that was killed leaves some of the chunks, and temporary files of the process that died.
    const [folder = ""] = readdirSync(join(site.dataDir, "chunks"));
    const leftover = join(site.dataDir, "chunks", folder, `${"0".repeat(64)}.zst.1.tmp`);
    writeFileSync(leftover, "half");
    await site.killServer();
    const server = await site.startServer({
      NODE_OPTIONS: `--import=${new URL("kill-at-removal.ts", import.meta.url).href}`,
      PORTOLAN_TEST_KILL_AT: "2",
    });
    const pruning = site.startPortolan("image", "prune");
    await server.waitForEnd();
    pruning.child.kill();
    assert.equal(chunkFiles(site).length, 8, "two of the four that nothing names are gone");
    await site.startServer();
    const before = site.portolan("image", "verify", "two") as Operation;
    assert.equal(before.state, "done", before.error ?? "");
    site.portolan("image", "prune");
    assert.equal(chunkFiles(site).length, 6);
    assert.ok(!existsSync(leftover));
    const verified = site.portolan("image", "verify", "two") as Operation;
    assert.equal(verified.state, "done", verified.error ?? "");
  },
);

test(
  "images: a damaged chunk and a changed manifest are named, and the image is not taken for whole",
  { skip },
  async (t) => {
    const site = new ImagingSite(t, []);
    const { one } = makeDisks(site);
    await site.startServer();
    site.portolan("image", "import", one, "one");
    const [name = ""] = chunkFiles(site);
    const path = join(site.dataDir, "chunks", name);
    const bytes = readFileSync(path);
    bytes[Math.floor(statSync(path).size / 2)] = (bytes[Math.floor(bytes.byteLength / 2)] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    assert.throws(
      () => site.portolan("image", "verify", "one"),
      (error: Error & { stdout?: string; status?: number }) =>
        error.status === 3 && (error.stdout ?? "").includes(name.slice(3, 67)),
    );
  },
);
