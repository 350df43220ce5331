import assert from "node:assert/strict";
import { test } from "node:test";
import { MacAddress } from "#wire/address/mac-address.ts";
import { BootTokens, type BootToken } from "./boot-tokens.ts";
import { ComputerUuid } from "./computer-uuid.ts";

const mac = MacAddress.parse("52:54:00:00:00:0a");
const uuid = ComputerUuid.parse("4c4c4544-0031-3510-8048-b7c04f333032");
const identity = { mac, uuid };

function issue(tokens: BootTokens, seed: number, nowMs = 0): BootToken {
  const random = new Uint8Array(32).fill(seed);
  return tokens.issue({ random, identity, computerId: "c1", nowMs });
}

test("boot token: good for the computer it was issued to", () => {
  const tokens = new BootTokens();
  const token = issue(tokens, 1);
  assert.match(token, /^[0-9a-f]{64}$/);
  const check = tokens.check(token, { macs: ["52:54:00:00:00:ff", mac], uuid }, 1000);
  assert.equal(check.type === "valid" && check.claim.computerId, "c1");
});

test("boot token: not good for another MAC, another UUID, later, or made up", () => {
  const tokens = new BootTokens();
  const token = issue(tokens, 1);
  const reasonOf = (text: string, macs: string[], shown: string | null, nowMs = 0): string => {
    const check = tokens.check(text, { macs, uuid: shown }, nowMs);
    return check.type === "valid" ? "valid" : check.reason;
  };
  assert.equal(reasonOf(token, ["52:54:00:00:00:ff"], uuid), "other-computer");
  assert.equal(reasonOf(token, [mac], "4c4c4544-0031-3510-8048-000000000000"), "other-computer");
  assert.equal(reasonOf("00".repeat(32), [mac], uuid), "unknown-token");
  assert.equal(reasonOf(token, [mac], uuid, 30 * 60_000), "expired-token");
  assert.equal(reasonOf(token, [mac], uuid), "unknown-token");
});

test("boot token: one computer keeps four at most", () => {
  const tokens = new BootTokens();
  const issued = [1, 2, 3, 4, 5, 6].map((seed) => issue(tokens, seed));
  assert.equal(tokens.count, 4);
  const [oldest = "", newest = ""] = [issued[0], issued[5]];
  assert.equal(tokens.check(oldest, { macs: [mac], uuid }, 0).type, "invalid");
  assert.equal(tokens.check(newest, { macs: [mac], uuid }, 0).type, "valid");
});

test("boot token: too little randomness is refused", () => {
  const given = { random: new Uint8Array(16), identity, computerId: null, nowMs: 0 };
  assert.throws(() => new BootTokens().issue(given), RangeError);
});
