import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import type { BundleManifest } from "#api/plan-bundle-api.ts";
import { checkBundle } from "#cli/check-bundle.ts";
import { decodeTar, encodeTar, type TarEntry } from "#wire/tar/tar-file.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { createServerRoom, type PlanServer } from "./plan-site.ts";

const skip = networkTestObstacle("ip") ?? false;

function entriesOf(path: string): TarEntry[] {
  return decodeTar(gunzipSync(readFileSync(path)));
}

function pack(entries: readonly TarEntry[]): Uint8Array {
  return gzipSync(encodeTar(entries, 0));
}

/** The archive with one file changed by `change`. */
function tamper(path: string, name: string, change: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  return pack(
    entriesOf(path).map((entry) => (entry.path === name ? { ...entry, bytes: change(entry.bytes) } : entry)),
  );
}

function withText(text: string): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => new TextEncoder().encode(new TextDecoder().decode(bytes) + text);
}

/** What somebody with a key of their own can do: change a file, and sign the manifest anew. */
function forge(path: string): Uint8Array {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const evil = new TextEncoder().encode("add rule inet filter input accept\n");
  const name = "devices/far/nftables.nft";
  const entries = entriesOf(path);
  const text = new TextDecoder().decode(entries.find((entry) => entry.path === "manifest.json")?.bytes);
  const manifest = JSON.parse(text) as BundleManifest;
  const files = manifest.files.map((file) =>
    file.path === name
      ? { path: name, sizeBytes: evil.byteLength, sha256: createHash("sha256").update(evil).digest("hex") }
      : file,
  );
  const manifestBytes = new TextEncoder().encode(JSON.stringify({ ...manifest, files }));
  const replaced: Readonly<Record<string, Uint8Array>> = {
    [name]: evil,
    "manifest.json": manifestBytes,
    "manifest.sig": sign("sha256", manifestBytes, privateKey),
    "site-key.pem": new TextEncoder().encode(publicKey.export({ type: "spki", format: "pem" })),
  };
  return pack(entries.map((entry) => ({ ...entry, bytes: replaced[entry.path] ?? entry.bytes })));
}

function check(server: PlanServer, bytes: Uint8Array): { status: number; text: string } {
  const path = join(server.dataDir, "checked.tar.gz");
  writeFileSync(path, bytes);
  const { status, stdout } = server.cli("plan", "bundle", "--check", path);
  return { status, text: stdout };
}

test(
  "plan bundle: signed by the site, readable by tar, and every kind of tampering is named",
  { skip },
  async (t) => {
    const { server } = createServerRoom(t);
    await server.start();
    const none = server.cli("plan", "bundle", "--out", join(server.dataDir, "none.tar.gz"));
    assert.equal(none.status, 2);
    assert.match(none.stderr, /no segment is behind a router/);
    server.json("segment", "add", "far", "192.168.20.0/24", "--relay", "192.168.20.254");
    server.json("segment", "add", "staff", "192.168.30.0/24", "--intent", "management");

    const path = join(server.dataDir, "request.tar.gz");
    server.json("plan", "bundle", "--out", path, "--dhcp-server", "10.9.0.2");
    const names = execFileSync("tar", ["-tzf", path], { encoding: "utf8" }).trim().split("\n");
    for (const name of [
      ...["change-request.md", "change-request.html", "manifest.json", "manifest.sig", "site-key.pem"],
      ...["devices/far/nftables.nft", "rollback/far/nftables.nft", "devices/staff/cisco-ios.txt"],
    ]) {
      assert.ok(names.includes(name), `${name} is not in the bundle: ${names.join(" ")}`);
    }
    const extracted = execFileSync("tar", ["-xzOf", path, "devices/far/nftables.nft"], { encoding: "utf8" });
    assert.equal(
      extracted.trimEnd(),
      server
        .cli("plan", "export", "nftables", "--segment", "far", "--dhcp-server", "10.9.0.2")
        .stdout.trimEnd(),
    );
    const request = execFileSync("tar", ["-xzOf", path, "change-request.md"], { encoding: "utf8" });
    assert.match(request, /\| boot\.tftp\/to-server \| udp \| 192\.168\.20\.0\/24 \|/);
    assert.doesNotMatch(request.split("Segment staff")[1] ?? "", /boot\.tftp\/to-server \| udp/);

    const good = server.cli("plan", "bundle", "--check", path);
    assert.equal(good.status, 0, good.stdout);
    assert.match(good.stdout, /signature and all \d+ files are good.*\n.*signed by this site's key/);

    const changed = check(server, tamper(path, "devices/far/nftables.nft", withText("# one more\n")));
    assert.equal(changed.status, 3);
    assert.match(changed.text, /devices\/far\/nftables\.nft was changed/);
    const missing = check(
      server,
      pack(entriesOf(path).filter((entry) => !entry.path.startsWith("rollback/far/ufw"))),
    );
    assert.match(missing.text, /rollback\/far\/ufw\.sh is missing/);
    const added = check(
      server,
      pack([...entriesOf(path), { path: "run-me.sh", bytes: new Uint8Array([1]) }]),
    );
    assert.match(added.text, /run-me\.sh was added/);
    const manifest = check(server, tamper(path, "manifest.json", withText(" ")));
    assert.match(manifest.text, /the signature is not good/);
    const forged = check(server, forge(path));
    assert.equal(forged.status, 3);
    assert.match(forged.text, /signed with another key/);
    const broken = check(server, readFileSync(path).subarray(0, 2000));
    assert.equal(broken.status, 3);
    assert.match(broken.text, /no bundle, or it is damaged/);

    // On a machine without a server the key is told, and can be given.
    const alone = checkBundle(readFileSync(path), null);
    assert.deepEqual(alone.faults, []);
    assert.equal(alone.signedBy, alone.manifest?.siteKeyFingerprint);
    assert.deepEqual(checkBundle(readFileSync(path), alone.signedBy).faults, []);
    assert.ok(existsSync(path));
  },
);
