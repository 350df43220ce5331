import assert from "node:assert/strict";
import { test } from "node:test";
import { computeCode, encodeBase32, findStep, formatAuthenticatorUri, stepAt } from "./one-time-code.ts";

const secret = encodeBase32(Buffer.from("12345678901234567890"));

test("one-time code: base32 as in RFC 4648 §10", () => {
  assert.deepEqual(
    ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map((text) => encodeBase32(Buffer.from(text))),
    ["", "MY", "MZXQ", "MZXW6", "MZXW6YQ", "MZXW6YTB", "MZXW6YTBOI"],
  );
});

test("one-time code: the values of RFC 6238, appendix B, by their last six digits", () => {
  const expected = [
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_111_111_111, "050471"],
    [1_234_567_890, "005924"],
    [2_000_000_000, "279037"],
    [20_000_000_000, "353130"],
  ] as const;
  for (const [seconds, code] of expected) {
    assert.equal(computeCode(secret, stepAt(seconds * 1000)), code);
  }
});

test("one-time code: one step before and after is taken, two are not, nor is anything else", () => {
  const nowMs = 1_234_567_890_000;
  const step = stepAt(nowMs);
  const found = [-2, -1, 0, 1, 2].map((drift) => findStep(secret, computeCode(secret, step + drift), nowMs));
  assert.deepEqual(found, [null, step - 1, step, step + 1, null]);
  for (const wrong of ["", "00592", "0059241", "abcdef", "00592٤"]) {
    assert.equal(findStep(secret, wrong, nowMs), null, wrong);
  }
});

test("one-time code: names in the address of an authenticator are escaped", () => {
  assert.equal(
    formatAuthenticatorUri("ABC", "ann@x", "Site & Co"),
    "otpauth://totp/Site%20%26%20Co:ann%40x?secret=ABC&issuer=Site%20%26%20Co",
  );
});
