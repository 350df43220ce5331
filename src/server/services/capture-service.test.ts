import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { encodeManifest } from "#engine/image/manifest.ts";
import { VirtualClock } from "#platform/sim/virtual-clock.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { ChunkStore } from "../chunk-store.ts";
import { CaptureService } from "./capture-service.ts";
import type { ControlLink } from "./control-service.ts";
import type { TransferRight } from "./transfer-conversation.ts";

const contents = ["first", "second"].map((text) => Buffer.from(text.padEnd(4096, ".")));
const manifestText = encodeManifest({
  version: 1,
  name: "office",
  sizeBytes: 8192,
  chunkSizeBytes: 4096,
  hashAlgorithm: "sha256",
  chunks: contents.map((content) => hash("sha256", content)),
});

/** A service with a real chunk store, whose one computer has announced its image. */
async function announce(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "portolan-capture-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const chunks = new ChunkStore(folder);
  const clock = new VirtualClock();
  const lost: string[] = [];
  const rights: TransferRight[] = [];
  // What the service asks of a connection is where it leads and that it takes a message.
  const link = { serverAddress: Ipv4Address.parse("10.0.0.1"), interfaceName: null, send: () => undefined };
  const captures = new CaptureService({
    catalogue: { add: () => Promise.reject(new Error("nothing is complete here")) },
    chunks,
    clock,
    transfers: {
      issue: ({ right }) => {
        rights.push(right);
        return Promise.resolve({ port: 1, ticket: String(rights.length) });
      },
      revoke: () => undefined,
    },
    findLink: () => link as unknown as ControlLink,
    onLost: (_, reason) => lost.push(reason),
  });
  const order = { computerId: "c-1", key: "k", imageName: "office", disk: "only-disk" };
  const begin = (): Promise<void> => captures.begin({ ...order, isForced: false, isStreamed: true });
  await begin();
  const [right] = rights;
  assert.ok(right?.type === "upload" && right.onAnnounced !== undefined);
  await right.onAnnounced(manifestText);
  assert.equal(captures.arriving().length, 1);
  return { captures, chunks, clock, lost, begin };
}

const minuteMs = 60_000;

test("capture: an image whose chunks stop coming is given up after four minutes, and each chunk gives it four more", async (t) => {
  const { captures, chunks, clock, lost } = await announce(t);
  await clock.advance(3 * minuteMs);
  await chunks.put(contents[0] ?? Buffer.alloc(0));
  await clock.advance(4 * minuteMs);
  assert.deepEqual(lost, []);
  await clock.advance(minuteMs / 2);
  assert.match(lost.join(), /^computer c-1 stopped sending office: 1 of 2 chunks have not come; /);
  assert.deepEqual(captures.arriving(), []);
  assert.deepEqual(
    captures.orders().map(({ imageName }) => imageName),
    ["office"],
    "its computer is still at it",
  );
  captures.end("c-1");
  assert.deepEqual(captures.orders(), []);
  assert.equal(await clock.runUntilIdle(), true);
});

test("capture: an attempt that follows at once keeps the image, and the end of the last one does not", async (t) => {
  const { captures, clock, lost, begin } = await announce(t);
  captures.end("c-1");
  await begin();
  await clock.advance(2000);
  assert.deepEqual([captures.arriving().length, lost.length], [1, 0]);
  captures.end("c-1");
  await clock.advance(2000);
  assert.deepEqual([captures.arriving().length, lost.length], [0, 1]);
});
