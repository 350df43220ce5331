import type { AddedCredential, ShownCredential } from "#api/security-key-schema.ts";
import type { SecurityKeyResource } from "#api/second-factor-api.ts";
import { ApiError } from "../api-error.ts";
import type { Accounts, OpenedSession } from "./accounts.ts";
import { ownAccount, type Principal } from "./principal.ts";
import { toSecurityKey } from "./second-factors.ts";
import type { SecurityKeys } from "./security-keys.ts";

type OwnPassword = { readonly password: string; readonly address: string };

/** A key says whose it is only when it is right: wrong ones are counted by address. No account has such a name. */
function guessKey(address: string): string {
  return `key from ${address}`;
}

/** Accounts and their security keys: login by one, and which ones an account has. */
export class KeyAccess {
  readonly #accounts: Accounts;
  readonly #keys: SecurityKeys;

  constructor(accounts: Accounts, keys: SecurityKeys) {
    this.#accounts = accounts;
    this.#keys = keys;
  }

  get host(): string | null {
    return this.#keys.host;
  }

  /** With name and password the key is the second factor; without, it is the login. @throws ApiError 401 | 409 | 429 */
  async beginLogin(given: { readonly name?: string; readonly password?: string; readonly address: string }) {
    const { name, password, address } = given;
    if (name === undefined || password === undefined) {
      this.#accounts.requireNoWait(guessKey(address), address);
      return this.#keys.beginLogin(null, address);
    }
    const user = await this.#accounts.checkPassword({ name, password, address });
    return this.#keys.beginLogin(user.id, address);
  }

  /** @throws ApiError 401 `bad-key`, 409 | 429 */
  async login(credential: ShownCredential, address: string): Promise<OpenedSession> {
    this.#accounts.requireNoWait(guessKey(address), address);
    try {
      const { userId } = await this.#keys.checkLogin(credential);
      const user = await this.#accounts.requireUser(userId);
      return await this.#accounts.openSession(user, address, "key");
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        this.#accounts.noteWrongAttempt(guessKey(address), address);
      }
      throw error;
    }
  }

  /** @throws ApiError 401 | 409 | 429 */
  async beginAdding(principal: Principal, given: OwnPassword & { readonly site: string }) {
    const user = await this.#accounts.checkOwnPassword(principal, given);
    return this.#keys.beginAdding(user, given.site);
  }

  /** @throws ApiError 401 `bad-key`, 409 */
  async add(
    principal: Principal,
    given: { readonly name: string; readonly credential: AddedCredential },
  ): Promise<{ readonly securityKey: SecurityKeyResource; readonly recoveryCodes: string[] }> {
    const userId = ownAccount(principal);
    const key = await this.#keys.add(userId, given.name, given.credential);
    return {
      securityKey: toSecurityKey(key),
      recoveryCodes: await this.#accounts.factors.completeRecoveryCodes(userId),
    };
  }

  /** @throws ApiError 401 | 404 | 409 | 429 */
  async remove(principal: Principal, given: OwnPassword & { readonly id: string }): Promise<void> {
    const user = await this.#accounts.checkOwnPassword(principal, given);
    await this.#keys.remove(user.id, given.id);
    await this.#accounts.factors.dropSpareCodes(user.id);
  }
}
