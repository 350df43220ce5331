import { randomBytes } from "node:crypto";
import type { SecondFactorResource } from "#api/second-factor-api.ts";
import type { SecondFactorStore } from "#store/second-factor-store.ts";
import { ApiError } from "../api-error.ts";
import { hashSecret } from "./console-cookie.ts";
import { encodeBase32, findStep, formatAuthenticatorUri } from "./one-time-code.ts";

const secretSizeBytes = 20;
const recoveryCodeCount = 10;
/** 80 bits: cannot be guessed, not even by who has the hashes. */
const recoveryCodeSizeBytes = 10;

/** How somebody has shown the second factor. */
export type FactorCheck = "not-needed" | "code" | "recovery-code" | "missing" | "wrong";

/** The second thing an account shows: a code of its authenticator, or one of its recovery codes. */
export class SecondFactors {
  readonly #store: SecondFactorStore;
  readonly #epochMs: () => number;

  constructor(edges: { readonly store: SecondFactorStore; readonly epochMs: () => number }) {
    this.#store = edges.store;
    this.#epochMs = edges.epochMs;
  }

  async show(userId: string): Promise<SecondFactorResource> {
    const found = await this.#store.find(userId);
    return {
      authenticatorSince: found?.confirmedAtMs ?? null,
      recoveryCodesLeft: await this.#store.countRecoveryCodes(userId),
    };
  }

  listUsers(): Promise<string[]> {
    return this.#store.listConfirmedUsers();
  }

  /** A secret for an authenticator; it counts once `confirm` has seen a code. @throws ApiError 409 */
  async begin(user: { readonly id: string; readonly name: string }, site: string) {
    if ((await this.#store.find(user.id))?.confirmedAtMs != null) {
      throw new ApiError(409, "has-authenticator", "there is an authenticator already; remove it first");
    }
    const secret = encodeBase32(randomBytes(secretSizeBytes));
    await this.#store.begin(user.id, secret);
    return { secret, uri: formatAuthenticatorUri(secret, user.name, site) };
  }

  /** From now on a code is asked for. Recovery codes are told this once. @throws ApiError 403 | 409 */
  async confirm(userId: string, code: string): Promise<{ readonly recoveryCodes: string[] }> {
    const found = await this.#store.find(userId);
    if (found === null || found.confirmedAtMs !== null) {
      throw new ApiError(409, "not-begun", "no authenticator waits to be confirmed; begin with a new secret");
    }
    const step = findStep(found.secret, tidy(code), this.#epochMs());
    if (step === null || !(await this.#store.takeStep(userId, step))) {
      throw new ApiError(403, "bad-code", "this is not the code that the authenticator shows now");
    }
    const recoveryCodes = Array.from({ length: recoveryCodeCount }, createRecoveryCode);
    const hashes = recoveryCodes.map((recoveryCode) => hashRecoveryCode(userId, recoveryCode));
    await this.#store.confirm(userId, Math.round(this.#epochMs()), hashes);
    return { recoveryCodes };
  }

  /** Takes the code: the same one is not right again. */
  async check(userId: string, code: string | null): Promise<FactorCheck> {
    const found = await this.#store.find(userId);
    if (found === null || found.confirmedAtMs === null) {
      return "not-needed";
    }
    if (code === null) {
      return "missing";
    }
    const step = findStep(found.secret, tidy(code), this.#epochMs());
    if (step !== null) {
      return (await this.#store.takeStep(userId, step)) ? "code" : "wrong";
    }
    const isRecovery = await this.#store.takeRecoveryCode(userId, hashRecoveryCode(userId, code));
    return isRecovery ? "recovery-code" : "wrong";
  }

  async remove(userId: string): Promise<void> {
    await this.#store.remove(userId);
  }
}

/** As people type it: in groups, in lower case. */
function tidy(code: string): string {
  return code.replaceAll(/[\s-]/g, "").toUpperCase();
}

function createRecoveryCode(): string {
  const text = encodeBase32(randomBytes(recoveryCodeSizeBytes)).toLowerCase();
  return (text.match(/.{4}/g) ?? []).join("-");
}

function hashRecoveryCode(userId: string, code: string): string {
  return hashSecret(`${userId} ${tidy(code)}`);
}
