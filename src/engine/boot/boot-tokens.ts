import type { ComputerIdentity } from "./identify-computer.ts";

/** A boot token as the kernel command line carries it: 64 hexadecimal digits. */
export type BootToken = string & { readonly __brand: "BootToken" };

/** What a token is good for. Times are monotonic milliseconds of the server that issued it. */
export type BootTokenClaim = {
  readonly identity: ComputerIdentity;
  /** The computer the identity belonged to when the token was issued; `null` while it was unknown. */
  readonly computerId: string | null;
  readonly expiresAtMs: number;
};

export type BootTokenCheck =
  | { readonly type: "valid"; readonly claim: BootTokenClaim }
  | { readonly type: "invalid"; readonly reason: "unknown-token" | "expired-token" | "other-computer" };

const randomSizeBytes = 32;
const lifetimeMs = 30 * 60_000;
const tokenCountMax = 20_000;
const tokensPerComputerMax = 4;

/**
 * Ties a control connection to the boot it came from.
 *
 * A token travels in plain text inside a boot script, so it is evidence, not authority: it lets a boot event be
 * finished and narrows who may enrol, and never replaces an approval or a certificate.
 *
 * Keyed by token. BOUNDED by 20 000 tokens and by four for each MAC; the oldest leaves first. In memory only.
 */
export class BootTokens {
  readonly #claims = new Map<BootToken, BootTokenClaim>();
  readonly #byMac = new Map<string, BootToken[]>();

  /** @param random 32 fresh random bytes; the engine has no randomness of its own. */
  issue(given: {
    readonly random: Uint8Array;
    readonly identity: ComputerIdentity;
    readonly computerId: string | null;
    readonly nowMs: number;
  }): BootToken {
    if (given.random.byteLength !== randomSizeBytes) {
      throw new RangeError(
        `a boot token needs ${randomSizeBytes} random bytes, got ${given.random.byteLength}`,
      );
    }
    const digits = Array.from(given.random, (byte) => byte.toString(16).padStart(2, "0"));
    const token = digits.join("") as BootToken;
    this.#claims.set(token, {
      identity: given.identity,
      computerId: given.computerId,
      expiresAtMs: given.nowMs + lifetimeMs,
    });
    this.#remember(given.identity.mac, token);
    return token;
  }

  /** @param presented the MACs and UUID of the computer that shows the token. */
  check(
    token: string,
    presented: { readonly macs: readonly string[]; readonly uuid: string | null },
    nowMs: number,
  ): BootTokenCheck {
    const claim = this.#claims.get(token as BootToken);
    if (claim === undefined) {
      return { type: "invalid", reason: "unknown-token" };
    }
    if (nowMs >= claim.expiresAtMs) {
      this.#forget(token as BootToken);
      return { type: "invalid", reason: "expired-token" };
    }
    const { mac, uuid } = claim.identity;
    const isSame = presented.macs.includes(mac) && (uuid === null || presented.uuid === uuid);
    return isSame ? { type: "valid", claim } : { type: "invalid", reason: "other-computer" };
  }

  get count(): number {
    return this.#claims.size;
  }

  #remember(mac: string, token: BootToken): void {
    const tokens = this.#byMac.get(mac) ?? [];
    this.#byMac.set(mac, [...tokens, token]);
    if (tokens.length >= tokensPerComputerMax && tokens[0] !== undefined) {
      this.#forget(tokens[0]);
    }
    const [oldest] = this.#claims.keys();
    if (this.#claims.size > tokenCountMax && oldest !== undefined) {
      this.#forget(oldest);
    }
  }

  #forget(token: BootToken): void {
    const mac = this.#claims.get(token)?.identity.mac;
    this.#claims.delete(token);
    if (mac === undefined) {
      return;
    }
    const left = (this.#byMac.get(mac) ?? []).filter((candidate) => candidate !== token);
    if (left.length === 0) {
      this.#byMac.delete(mac);
    } else {
      this.#byMac.set(mac, left);
    }
  }
}
