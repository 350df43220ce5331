import { createHmac, timingSafeEqual } from "node:crypto";

/** RFC 6238 as every authenticator has it: SHA-1, six digits, thirty seconds. */
const stepMs = 30_000;
const digitCount = 6;
/** Clocks of phones are wrong by less than a step. */
const driftSteps = 1;

const base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** RFC 4648 §6, without padding. */
export function encodeBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => base32Alphabet.charAt(Number.parseInt(five.padEnd(5, "0"), 2)))
    .join("");
}

/** @throws when the text is no base32: it is our own */
function decodeBase32(text: string): Uint8Array {
  const bits = text.split("").map((letter) => {
    const value = base32Alphabet.indexOf(letter);
    if (value < 0) {
      throw new Error("a stored secret of an authenticator is no base32");
    }
    return value.toString(2).padStart(5, "0");
  });
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (eight) => Number.parseInt(eight, 2));
}

export function stepAt(nowMs: number): number {
  return Math.floor(nowMs / stepMs);
}

/** The code of one time step. RFC 4226 §5.3 */
export function computeCode(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", decodeBase32(secret)).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** digitCount).padStart(digitCount, "0");
}

/** The time step whose code this is: now, just before or just after; `null` for none. */
export function findStep(secret: string, code: string, nowMs: number): number | null {
  const given = Buffer.from(code);
  let found: number | null = null;
  for (let step = stepAt(nowMs) - driftSteps; step <= stepAt(nowMs) + driftSteps; step += 1) {
    const right = Buffer.from(computeCode(secret, step));
    if (given.length === right.length && timingSafeEqual(given, right)) {
      found = step;
    }
  }
  return found;
}

/** What an authenticator reads from the picture. */
export function formatAuthenticatorUri(secret: string, account: string, site: string): string {
  const label = `${encodeURIComponent(site)}:${encodeURIComponent(account)}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(site)}`;
}
