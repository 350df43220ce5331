import assert from "node:assert/strict";
import { generateKeyPairSync, hash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "node:tls";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { pino } from "pino";
import { TransferClient } from "#platform/transfer-client.ts";
import { connectTransfer } from "#agent/imaging/connect-transfer.ts";
import { encodeManifest, type Manifest } from "#engine/image/manifest.ts";
import { computeFlows } from "#plan/flows.ts";
import { classicSettings, type Settings } from "#plan/settings.ts";
import { type Clock, systemClock } from "#platform/clock.ts";
import { ChunkStore } from "#server/chunk-store.ts";
import type { TransferRight } from "#server/services/transfer-conversation.ts";
import { TransferService } from "#server/services/transfer-service.ts";
import { createSiteKey, SiteAuthority } from "#server/site-authority.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { encodeFrame } from "#wire/control/frame.ts";

const loopback = Ipv4Address.parse("127.0.0.1");
const chunkSizeBytes = 64 << 10;
/** Below those that the kernel gives to connections, any of which may be somebody's at any time. */
const staticPort = 14_001;
const range = { from: 14_100, to: 14_103 };

type Identity = { readonly key: string; readonly cert: string };

/** A real transfer service on loopback with a file of three chunks, and certificates for whom it is asked. */
class Ground {
  readonly service: TransferService;
  readonly chunks: ChunkStore;
  readonly authority: SiteAuthority;
  readonly content = randomBytes(3 * chunkSizeBytes - 100);
  readonly manifestText: string;
  readonly hashes: readonly string[];
  /** Moves what the service takes for the time. */
  aheadMs = 0;
  /** How much sooner than asked its timers ring. */
  haste = 1;
  maxMbps = 0;

  private constructor(
    authority: SiteAuthority,
    tls: { key: string; cert: string },
    folder: string,
    settings: Settings,
  ) {
    this.authority = authority;
    this.chunks = new ChunkStore(folder);
    const pieces = [0, 1, 2].map((index) =>
      this.content.subarray(index * chunkSizeBytes, (index + 1) * chunkSizeBytes),
    );
    this.hashes = pieces.map((piece) => hash("sha256", piece));
    this.manifestText = encodeManifest(this.manifest());
    const clock: Clock = {
      ...systemClock,
      epochMs: () => Date.now() + this.aheadMs,
      after: (delayMs, callback) => systemClock.after(delayMs / this.haste, callback),
    };
    const flows = computeFlows(settings, { consolePort: 8443 });
    const nic = {
      ...{ name: "lo", address: loopback, prefixLength: 8, isLoopback: true, mtuBytes: 1500 },
      ...{ mac: null, broadcast: null },
    };
    this.service = new TransferService(
      { flows: () => flows, places: () => [nic], maxMbps: () => this.maxMbps, tls },
      {
        ...{ authority, clock, log: pino({ level: "silent" }), chunks: this.chunks },
        readSignature: () => Promise.resolve("{}"),
      },
    );
  }

  static async open(t: TestContext, change: Partial<Settings> = {}): Promise<Ground> {
    const folder = mkdtempSync(join(tmpdir(), "portolan-transfer-"));
    const authority = new SiteAuthority(await createSiteKey(Date.now()));
    const tls = await authority.issueServer("ds1", [loopback], Date.now());
    const ground = new Ground(authority, tls, folder, { ...classicSettings, ...change });
    t.after(async () => {
      await ground.service.stop();
      rmSync(folder, { recursive: true });
    });
    await ground.service.start();
    for (const [index] of ground.hashes.entries()) {
      const from = index * chunkSizeBytes;
      await ground.chunks.put(ground.content.subarray(from, from + chunkSizeBytes));
    }
    return ground;
  }

  manifest(): Manifest {
    return {
      version: 1,
      name: "file",
      sizeBytes: this.content.byteLength,
      chunkSizeBytes,
      hashAlgorithm: "sha256",
      chunks: [...this.hashes],
    };
  }

  async identityOf(computerId: string): Promise<Identity> {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const subject = { computerId, role: "os" } as const;
    const cert = await this.authority.issueComputer(publicKey, subject, 3_600_000, Date.now());
    return { key: privateKey.export({ type: "pkcs8", format: "pem" }), cert };
  }

  issue(computerId: string, right?: TransferRight): Promise<{ port: number; ticket: string }> {
    return this.service.issue({
      ...{ computerId, serverAddress: loopback, interfaceName: "lo" },
      right: right ?? {
        type: "read",
        manifestText: this.manifestText,
        chunkHashes: new Set(this.hashes),
      },
    });
  }

  connect(access: { port: number; ticket: string }, identity: Identity): Promise<TransferClient> {
    return connectTransfer(
      {
        serverAddress: () => loopback,
        siteKeyFingerprint: this.authority.fingerprint,
        identity: () => identity,
      },
      access,
    );
  }

  /** The whole file, as its rightful computer gets it. */
  async fetch(access: { port: number; ticket: string }, identity: Identity): Promise<Buffer> {
    const client = await this.connect(access, identity);
    try {
      assert.equal(await client.readManifest(), this.manifestText);
      const parts: Buffer[] = [];
      for await (const { frame } of client.readChunks(this.hashes)) {
        parts.push(zstdDecompressSync(frame));
      }
      return Buffer.concat(parts);
    } finally {
      client.close();
    }
  }
}

/** Looks until something is so; the runner's own limit ends it when it never is. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await pause(10);
  }
}

/** Connects and says all this at once; everything that came back until the end. */
function takeAll(port: number, bytes: Uint8Array, identity: Partial<Identity>): Promise<Buffer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const options = {
      host: loopback,
      port,
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
      ...identity,
    } as const;
    const socket = connect(options, () => socket.write(bytes));
    socket.on("data", (part: Buffer) => parts.push(part));
    socket.on("error", () => undefined);
    socket.once("close", () => resolve(Buffer.concat(parts)));
  });
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: loopback, port, rejectUnauthorized: false }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

test("transfer: a thief that connects first gets nothing, whatever it shows; the rightful computer completes", async (t) => {
  const ground = await Ground.open(t);
  const access = await ground.issue("c-right");
  assert.ok(access.port > 1024, "a port of its own");
  const asks = Buffer.concat([
    encodeFrame({ type: "manifest" }),
    encodeFrame({ type: "chunks", hashes: ground.hashes }),
  ]);
  const withTicket = (ticket: string): Uint8Array =>
    Buffer.concat([encodeFrame({ type: "ticket", ticket }), asks]);
  const thief = await ground.identityOf("c-thief");
  const strangers = new SiteAuthority(await createSiteKey(Date.now()));
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = { computerId: "c-right", role: "os" } as const;
  const forged = {
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    cert: await strangers.issueComputer(publicKey, subject, 3_600_000, Date.now()),
  };
  const attempts: [string, Promise<Buffer>][] = [
    ["no ticket at all", takeAll(access.port, asks, {})],
    ["a guessed ticket", takeAll(access.port, withTicket(randomBytes(32).toString("base64url")), thief)],
    ["the ticket without a certificate", takeAll(access.port, withTicket(access.ticket), {})],
    [
      "the ticket with another computer's certificate",
      takeAll(access.port, withTicket(access.ticket), thief),
    ],
    [
      "the ticket with a certificate of another site",
      takeAll(access.port, withTicket(access.ticket), forged),
    ],
  ];
  for (const [what, taken] of attempts) {
    assert.equal((await taken).byteLength, 0, what);
  }
  assert.deepEqual(await ground.fetch(access, await ground.identityOf("c-right")), ground.content);
  assert.equal(ground.service.counters.get("redeemed"), 1);
  assert.equal(ground.service.counters.get("not-its-ticket"), 3);
});

test("transfer: a ticket is for its content and its time, and its port is closed with it", async (t) => {
  const ground = await Ground.open(t);
  const identity = await ground.identityOf("c-1");
  const { chunkHash } = await ground.chunks.put(randomBytes(1000));
  const access = await ground.issue("c-1");
  const client = await ground.connect(access, identity);
  await assert.rejects(async () => {
    for await (const _ of client.readChunks([chunkHash])) {
      assert.fail("a chunk that the ticket does not cover was sent");
    }
  }, /the server does not have it/);
  client.close();
  ground.aheadMs = 7 * 3_600_000;
  await assert.rejects(ground.fetch(access, identity));
  assert.equal(ground.service.counters.get("no-ticket"), 1);
  ground.aheadMs = 0;
  const other = await ground.issue("c-1");
  assert.equal(await isOpen(other.port), true);
  ground.service.revoke(other.ticket);
  assert.equal(await isOpen(other.port), false, "nothing listens there any more");
});

test("transfer: twenty computers fetch at once through the one static port", async (t) => {
  const ground = await Ground.open(t, { "transfer.port": staticPort });
  const fetches = Array.from({ length: 20 }, async (_, index) => {
    const access = await ground.issue(`c-${index}`);
    assert.equal(access.port, staticPort);
    return ground.fetch(access, await ground.identityOf(`c-${index}`));
  });
  for (const content of await Promise.all(fetches)) {
    assert.deepEqual(content, ground.content);
  }
  assert.equal(ground.service.counters.get("redeemed"), 20);
});

test("transfer: dynamic ports come from the range that the site has set", async (t) => {
  const ground = await Ground.open(t, { "transfer.portRange": range });
  const ports = [];
  for (let count = 0; count < 4; count += 1) {
    ports.push((await ground.issue("c-1")).port);
  }
  assert.deepEqual(
    ports.sort((a, b) => a - b),
    [range.from, range.from + 1, range.from + 2, range.to],
  );
  await assert.rejects(ground.issue("c-1"), new RegExp(`${range.from}|in use|taken`, "i"));
});

test("transfer: the cap holds all transfers together to its rate", async (t) => {
  const ground = await Ground.open(t);
  // 200 kB at 800 kbit/s take two seconds, half a second of which may go at once.
  ground.maxMbps = 0.8;
  const startedAtMs = performance.now();
  await ground.fetch(await ground.issue("c-1"), await ground.identityOf("c-1"));
  assert.ok(performance.now() - startedAtMs > 1200, `${performance.now() - startedAtMs} ms`);
});

test("transfer: an upload sends what the store lacks, and counts when all of it is there", async (t) => {
  const ground = await Ground.open(t);
  const identity = await ground.identityOf("c-1");
  const kept: string[] = [];
  const right: TransferRight = {
    type: "upload",
    sizeBytesMax: 10 << 20,
    onUploaded: (manifestText) => Promise.resolve(void kept.push(manifestText)),
  };
  const extra = randomBytes(chunkSizeBytes);
  const extraHash = hash("sha256", extra);
  const manifestText = encodeManifest({
    ...ground.manifest(),
    sizeBytes: 4 * chunkSizeBytes,
    chunks: [...ground.hashes, extraHash],
  });
  const access = await ground.issue("c-1", right);
  const client = await ground.connect(access, identity);
  assert.deepEqual(await client.lacking([...ground.hashes, extraHash]), [extraHash]);
  await assert.rejects(client.complete(manifestText), /was not sent/);
  await client.put(extraHash, zstdCompressSync(extra));
  await client.complete(manifestText);
  assert.deepEqual(kept, [manifestText]);
  client.close();
  const liar = await ground.connect(await ground.issue("c-1", right), identity);
  const claimed = hash("sha256", "something else");
  await liar.put(claimed, zstdCompressSync(extra)).catch(() => undefined);
  await assert.rejects(liar.complete(manifestText), "a chunk that is not what its name says ends it");
  assert.equal(await ground.chunks.has(claimed), false);
  assert.deepEqual(kept, [manifestText]);
});

test("transfer: who waits for a chunk that is still coming is told so now and then, and gets it when it has come", async (t) => {
  const ground = await Ground.open(t);
  ground.haste = 500;
  const late = randomBytes(chunkSizeBytes);
  const lateHash = hash("sha256", late);
  const [first = ""] = ground.hashes;
  await ground.chunks.expect([lateHash]);
  const right = {
    type: "read" as const,
    manifestText: ground.manifestText,
    chunkHashes: new Set([first, lateHash]),
  };
  const identity = await ground.identityOf("c-1");
  const client = await ground.connect(await ground.issue("c-1", right), identity);
  t.after(() => client.close());
  const got: Buffer[] = [];
  const reading = (async () => {
    for await (const { frame } of client.readChunks([first, lateHash, first])) {
      got.push(zstdDecompressSync(frame));
    }
  })();
  // As older agents ask, which know of no such words.
  const access = await ground.issue("c-1", right);
  const site = { ca: ground.authority.certificatePem, rejectUnauthorized: false };
  const old = connect({ host: "127.0.0.1", port: access.port, ...identity, ...site });
  t.after(() => old.destroy());
  let oldBytes = 0;
  old.on("data", (part: Buffer) => {
    oldBytes += part.byteLength;
  });
  old.write(encodeFrame({ type: "ticket", ticket: access.ticket }));
  old.write(encodeFrame({ type: "chunks", hashes: [lateHash] }));
  await until(() => got.length > 0);
  await pause(500);
  assert.deepEqual([got.length, oldBytes], [1, 0]);
  await ground.chunks.put(late);
  await reading;
  assert.deepEqual([got.length, got[1]?.equals(late)], [3, true]);
  await until(() => oldBytes > chunkSizeBytes);
});
