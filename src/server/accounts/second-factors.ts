import { randomBytes } from "node:crypto";
import type { SecondFactorResource, SecurityKeyResource } from "#api/second-factor-api.ts";
import type { SecondFactorStore } from "#store/second-factor-store.ts";
import type { SecurityKeyStore, StoredSecurityKey } from "#store/security-key-store.ts";
import { ApiError } from "../api-error.ts";
import { hashSecret } from "./console-cookie.ts";
import { encodeBase32, findStep, formatAuthenticatorUri } from "./one-time-code.ts";

const secretSizeBytes = 20;
const recoveryCodeCount = 10;
/** 80 bits: cannot be guessed, not even by who has the hashes. */
const recoveryCodeSizeBytes = 10;

/** How somebody has shown the second factor. */
export type FactorCheck = "not-needed" | "code" | "recovery-code" | "key" | "provider" | "missing" | "wrong";

export function toSecurityKey(key: StoredSecurityKey): SecurityKeyResource {
  const { id, name, host, createdAtMs, lastUsedAtMs } = key;
  return { id, name, host, createdAt: createdAtMs, lastUsedAt: lastUsedAtMs };
}

/** The second thing an account shows: a code of its authenticator, one of its recovery codes, or a security key. */
export class SecondFactors {
  readonly #store: SecondFactorStore;
  readonly #keys: SecurityKeyStore;
  readonly #epochMs: () => number;

  constructor(edges: {
    readonly store: SecondFactorStore;
    readonly keys: SecurityKeyStore;
    readonly epochMs: () => number;
  }) {
    this.#store = edges.store;
    this.#keys = edges.keys;
    this.#epochMs = edges.epochMs;
  }

  async show(userId: string): Promise<Omit<SecondFactorResource, "keyHost">> {
    const found = await this.#store.find(userId);
    return {
      authenticatorSince: found?.confirmedAtMs ?? null,
      recoveryCodesLeft: await this.#store.countRecoveryCodes(userId),
      securityKeys: (await this.#keys.list(userId)).map(toSecurityKey),
    };
  }

  async listUsers(): Promise<string[]> {
    return [...(await this.#store.listConfirmedUsers()), ...(await this.#keys.listUsers())];
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
    const { recoveryCodes, hashes } = createRecoveryCodes(userId);
    await this.#store.confirm(userId, Math.round(this.#epochMs()), hashes);
    return { recoveryCodes };
  }

  /** Takes the code: the same one is not right again. */
  async check(userId: string, code: string | null): Promise<FactorCheck> {
    const found = await this.#store.find(userId);
    const hasAuthenticator = found !== null && found.confirmedAtMs !== null;
    if (!hasAuthenticator && (await this.#keys.list(userId)).length === 0) {
      return "not-needed";
    }
    if (code === null) {
      return "missing";
    }
    const step = hasAuthenticator ? findStep(found.secret, tidy(code), this.#epochMs()) : null;
    if (step !== null) {
      return (await this.#store.takeStep(userId, step)) ? "code" : "wrong";
    }
    const isRecovery = await this.#store.takeRecoveryCode(userId, hashRecoveryCode(userId, code));
    return isRecovery ? "recovery-code" : "wrong";
  }

  /** Recovery codes for an account that has none, to be told this once. */
  async completeRecoveryCodes(userId: string): Promise<string[]> {
    if ((await this.#store.countRecoveryCodes(userId)) > 0) {
      return [];
    }
    const { recoveryCodes, hashes } = createRecoveryCodes(userId);
    await this.#store.replaceRecoveryCodes(userId, hashes);
    return recoveryCodes;
  }

  async removeAuthenticator(userId: string): Promise<void> {
    await this.#store.removeAuthenticator(userId);
    await this.dropSpareCodes(userId);
  }

  /** Recovery codes go with the last factor they stand in for. */
  async dropSpareCodes(userId: string): Promise<void> {
    const { authenticatorSince, securityKeys } = await this.show(userId);
    if (authenticatorSince === null && securityKeys.length === 0) {
      await this.#store.replaceRecoveryCodes(userId, []);
    }
  }

  async removeAll(userId: string): Promise<void> {
    await this.#store.removeAll(userId);
  }
}

function createRecoveryCodes(userId: string): { recoveryCodes: string[]; hashes: string[] } {
  const recoveryCodes = Array.from({ length: recoveryCodeCount }, createRecoveryCode);
  return { recoveryCodes, hashes: recoveryCodes.map((code) => hashRecoveryCode(userId, code)) };
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
