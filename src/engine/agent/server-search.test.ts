import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { GetServerAnswer } from "#wire/discovery/get-server.ts";
import { countFailures, defaultRetryLimits, retryDelayMs } from "./retry-delay.ts";
import { ServerSearch } from "./server-search.ts";

const ours = "a".repeat(64);
const server = Ipv4Address.parse("192.168.0.1");

function startSearch(): ServerSearch {
  return new ServerSearch(
    { group: Ipv4Address.parse("225.1.2.3"), port: 402, siteKeyFingerprint: ours },
    Array.from({ length: ServerSearch.questionCount }, (_, index) => new Uint8Array(16).fill(index + 1)),
  );
}

function answerTo(nonce: Uint8Array): GetServerAnswer {
  const empty = new Uint8Array(0);
  return {
    ...{ type: "server", nonce, address: server, port: 402, isKnown: false, serverName: "ds1" },
    ...{ siteKey: empty, signature: empty, signedBytes: empty },
  };
}

const good = { fingerprint: ours, isSignatureValid: true };

test("server search: asks with a new nonce each time, then gives up with the reason and the remedy", () => {
  const search = startSearch();
  const seen: string[] = [];
  for (let nowMs = 0; search.wakeAtMs !== null; nowMs = search.wakeAtMs ?? nowMs) {
    const output = search.advance(nowMs);
    assert.ok(output !== null && output.type !== "found");
    seen.push(output.type === "ask" ? `${nowMs} ask ${output.nonce[0]}` : `${nowMs} ${output.reason}`);
    if (output.type === "failed") {
      assert.match(
        output.explanation,
        /225\.1\.2\.3, UDP port 402.*another segment.*set the server's address/,
      );
    }
  }
  assert.deepEqual(seen, ["0 ask 1", "250 ask 2", "750 ask 3", "1750 ask 4", "3000 no-answer"]);
});

test("server search: a late answer to an earlier question counts", () => {
  const search = startSearch();
  search.advance(0);
  search.advance(250);
  const found = search.receive(answerTo(new Uint8Array(16).fill(1)), good, server);
  assert.deepEqual(found, {
    type: "found",
    place: { address: server, port: 402 },
    serverName: "ds1",
    isKnown: false,
  });
  assert.equal(search.wakeAtMs, null);
});

test("server search: a replayed answer, another site's key and a wrong signature are ignored, and named at the end", () => {
  const search = startSearch();
  search.advance(0);
  const nonce = new Uint8Array(16).fill(1);
  const rogue = Ipv4Address.parse("192.168.0.66");
  assert.deepEqual(search.receive(answerTo(new Uint8Array(16).fill(99)), good, rogue), {
    type: "ignore",
    reason: "foreign-nonce",
  });
  assert.deepEqual(search.receive(answerTo(nonce), { ...good, isSignatureValid: false }, rogue), {
    type: "ignore",
    reason: "bad-signature",
  });
  assert.deepEqual(search.receive(answerTo(nonce), { ...good, fingerprint: "b".repeat(64) }, rogue), {
    type: "ignore",
    reason: "wrong-site-key",
  });
  let last = null;
  while (search.wakeAtMs !== null) {
    last = search.advance(search.wakeAtMs);
  }
  assert.ok(last?.type === "failed");
  assert.equal(last.reason, "wrong-site-key");
  assert.match(last.explanation, /^192\.168\.0\.66 answered/);
});

test("retry delay: grows to its limit, never beyond, never to nothing after a failure", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, jitter) => {
        const delayMs = retryDelayMs(failures, jitter, defaultRetryLimits);
        assert.ok(delayMs >= 250 && delayMs <= 30_000, String(delayMs));
        assert.ok(retryDelayMs(failures + 1, jitter, defaultRetryLimits) >= delayMs);
      },
    ),
  );
});

test("retry delay: a connection that stood begins anew, spread over a second", () => {
  let failures = 0;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    failures = countFailures(failures, 100, defaultRetryLimits);
  }
  assert.equal(failures, 5);
  assert.equal(countFailures(failures, 60_000, defaultRetryLimits), 0);
  assert.equal(retryDelayMs(0, 0.5, defaultRetryLimits), 500);
  assert.equal(retryDelayMs(0, 1, defaultRetryLimits), 1000);
});
