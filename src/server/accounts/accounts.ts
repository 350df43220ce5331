import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { MeResource } from "#api/account-api.ts";
import type { Role } from "#api/route.ts";
import type { AccountStore, StoredConsoleSession, StoredUser } from "#store/account-store.ts";
import { ApiError } from "../api-error.ts";
import { ApiTokens, limitsOf, type AccountsOptions, type Authentication } from "./api-tokens.ts";
import { createSecret, hashSecret, isSameSecret, proofHeader, readCookie } from "./console-cookie.ts";
import { LoginLimit } from "./login-limit.ts";
import { decoyHash, encodePassword, isPassword } from "./password.ts";
import { ownAccount, type Principal, roleOf } from "./principal.ts";
import type { FactorCheck, SecondFactors } from "./second-factors.ts";

const idleMsMax = 12 * 3_600_000;
const ageMsMax = 7 * 24 * 3_600_000;
export const confirmationMs = 5 * 60_000;
/** Use is noted this often: not every request is worth a write. */
const useNoteDelayMs = 60_000;
const setupCodeLifetimeMs = 24 * 3_600_000;

export type OpenedSession = {
  readonly me: MeResource;
  readonly proof: string;
  readonly cookieSecret: string;
  /** What was shown beside the password. */
  readonly factor: FactorCheck;
};

type GivenPassword = { readonly name: string; readonly password: string; readonly address: string };

export function toMe({ confirmedUntilMs, limits, ...principal }: Principal): MeResource {
  const { type, name, role, hasPassword } = principal;
  if (type === "nobody" || role === null) {
    throw new ApiError(401, "not-authorised", "log in first");
  }
  return { type, name, role, hasPassword, confirmedUntil: confirmedUntilMs, isLimited: limits.length > 0 };
}

/** @throws ApiError 409 for accounts that log in at the login provider */
function requirePassword({ name, passwordHash }: StoredUser): void {
  if (passwordHash === null) {
    throw new ApiError(409, "no-password", `${name} logs in elsewhere and has no password here`);
  }
}

/** Accounts and console sessions: who may come in, and as whom. */
export class Accounts {
  readonly #store: AccountStore;
  readonly #epochMs: () => number;
  readonly #limit = new LoginLimit();
  readonly tokens: ApiTokens;
  readonly factors: SecondFactors;
  #setupCode: { readonly code: string; readonly untilMs: number } | null = null;

  constructor(
    options: AccountsOptions,
    edges: { store: AccountStore; factors: SecondFactors; epochMs: () => number },
  ) {
    this.factors = edges.factors;
    this.#store = edges.store;
    this.#epochMs = edges.epochMs;
    this.tokens = new ApiTokens(options, edges);
  }

  async needsFirstUser(): Promise<boolean> {
    return (await this.#store.listUsers()).length === 0;
  }

  /** The one-time code for the first account, to be printed on the server's terminal; `null` when there is one. */
  async openSetup(): Promise<string | null> {
    if (!(await this.needsFirstUser())) {
      return null;
    }
    const code = randomBytes(12).toString("base64url");
    this.#setupCode = { code, untilMs: this.#epochMs() + setupCodeLifetimeMs };
    return code;
  }

  /** @throws ApiError 403 | 409 | 429 */
  async createFirstUser(given: {
    readonly code: string;
    readonly name: string;
    readonly password: string;
    readonly address: string;
  }): Promise<OpenedSession> {
    const nowMs = this.#epochMs();
    this.requireNoWait("", given.address);
    const setup = this.#setupCode;
    if (setup === null || setup.untilMs < nowMs || !isSameSecret(setup.code, given.code)) {
      this.noteWrongAttempt("", given.address);
      throw new ApiError(403, "bad-setup-code", "this is not the code that the server printed at its start");
    }
    this.#setupCode = null;
    if (!(await this.needsFirstUser())) {
      throw new ApiError(409, "already-set-up", "there is an account already; log in with it");
    }
    const user = await this.createUser({ name: given.name, role: "administrator", password: given.password });
    return this.openSession(user, given.address, "not-needed");
  }

  /** @throws ApiError 401 `bad-login` | `second-factor-needed` | `bad-code`, 429 */
  async login(given: GivenPassword & { readonly code?: string | undefined }): Promise<OpenedSession> {
    const user = await this.checkPassword(given);
    const factor = await this.#checkCode(user, given.code ?? null, given.address);
    return this.openSession(user, given.address, factor);
  }

  async #checkCode(user: StoredUser, code: string | null, address: string): Promise<FactorCheck> {
    const factor = await this.factors.check(user.id, code);
    if (factor === "missing") {
      throw new ApiError(
        401,
        "second-factor-needed",
        "give the code that your authenticator shows, or a recovery code, or use a security key",
      );
    }
    if (factor === "wrong") {
      this.noteWrongAttempt(user.name, address);
      throw new ApiError(
        401,
        "bad-code",
        "this code is not right, or was used already; wait for the next one",
      );
    }
    return factor;
  }

  /** Leaves the count of wrong attempts as it is: a code may still be wrong after a right password. */
  async checkPassword(given: GivenPassword): Promise<StoredUser> {
    const { name, password, address } = given;
    this.requireNoWait(name, address);
    const user = await this.#store.findUser(name);
    const isRight = await isPassword(password, user?.passwordHash ?? (await decoyHash()));
    if (user === null || user.passwordHash === null || !isRight) {
      this.noteWrongAttempt(name, address);
      throw new ApiError(401, "bad-login", "this name and this password do not belong together");
    }
    return user;
  }

  noteWrongAttempt(name: string, address: string): void {
    this.#limit.fail(name, address, this.#epochMs());
  }

  /** @throws ApiError 429 */
  requireNoWait(name: string, address: string): void {
    const waitMs = this.#limit.waitMs(name, address, this.#epochMs());
    if (waitMs > 0) {
      throw new ApiError(
        429,
        "too-many-attempts",
        `too many wrong attempts; try again in ${Math.ceil(waitMs / 60_000)} minutes`,
        waitMs,
      );
    }
  }

  /** For who has shown everything that is asked for; earlier wrong attempts are forgiven. */
  async openSession(user: StoredUser, address: string, factor: FactorCheck): Promise<OpenedSession> {
    this.#limit.succeed(user.name);
    const nowMs = Math.round(this.#epochMs());
    const [cookieSecret, proof] = [createSecret(), createSecret()];
    await this.#store.updateUser(user.id, { lastLoginAtMs: nowMs });
    const session: StoredConsoleSession = {
      idHash: hashSecret(cookieSecret),
      userId: user.id,
      proofHash: hashSecret(proof),
      address,
      createdAtMs: nowMs,
      lastUsedAtMs: nowMs,
      confirmedUntilMs: null,
    };
    await this.#store.insertSession(session);
    return { me: toMe(this.#principalOf(user, session)), proof, cookieSecret, factor };
  }

  #principalOf(user: StoredUser, session: StoredConsoleSession): Principal {
    return {
      type: "user",
      name: user.name,
      role: roleOf(user.role),
      userId: user.id,
      sessionHash: session.idHash,
      confirmedUntilMs: session.confirmedUntilMs,
      hasPassword: user.passwordHash !== null,
      limits: limitsOf(user),
    };
  }

  /** Who sent these headers. `proof` is given where a browser cannot set a header of its own. */
  async authenticate(headers: IncomingHttpHeaders, proof?: string): Promise<Authentication> {
    const [scheme, token] = (headers.authorization ?? "").split(" ");
    if (scheme === "Bearer" && token !== undefined) {
      return this.tokens.authenticate(token);
    }
    const cookie = readCookie(headers.cookie);
    if (cookie === null) {
      return { type: "absent" };
    }
    const header = headers[proofHeader];
    return this.#authenticateSession(cookie, proof ?? (typeof header === "string" ? header : null));
  }

  async #authenticateSession(cookie: string, proof: string | null): Promise<Authentication> {
    const idHash = hashSecret(cookie);
    const found = await this.#store.findSession(idHash);
    const nowMs = Math.round(this.#epochMs());
    if (found === null) {
      return { type: "absent" };
    }
    const { session, user } = found;
    if (nowMs - session.lastUsedAtMs > idleMsMax || nowMs - session.createdAtMs > ageMsMax) {
      await this.#store.removeSession(idHash);
      return { type: "absent" };
    }
    if (proof === null || !isSameSecret(hashSecret(proof), session.proofHash)) {
      return {
        type: "refused",
        action: "cookie-without-proof",
        actor: user.name,
        detail: "a session's cookie came without the half that its own browser keeps",
      };
    }
    if (nowMs - session.lastUsedAtMs > useNoteDelayMs) {
      await this.#store.updateSession(idHash, { lastUsedAtMs: nowMs });
    }
    return { type: "known", principal: this.#principalOf(user, session) };
  }

  async logout(principal: Principal): Promise<void> {
    if (principal.sessionHash !== null) {
      await this.#store.removeSession(principal.sessionHash);
    }
  }

  /** @throws ApiError 401 | 409 | 429 */
  async confirm(principal: Principal, password: string, address: string): Promise<Principal> {
    const { sessionHash } = principal;
    if (sessionHash === null) {
      throw new ApiError(409, "no-session", "only a session of the console is confirmed by password");
    }
    await this.checkOwnPassword(principal, { password, address });
    const confirmedUntilMs = Math.round(this.#epochMs()) + confirmationMs;
    await this.#store.updateSession(sessionHash, { confirmedUntilMs });
    return { ...principal, confirmedUntilMs };
  }

  /** @throws ApiError 401 | 409 | 429 */
  async changeOwnPassword(
    principal: Principal,
    given: { readonly password: string; readonly newPassword: string; readonly address: string },
  ): Promise<void> {
    const user = await this.checkOwnPassword(principal, given);
    await this.#setPassword(user.id, given.newPassword, principal.sessionHash);
  }

  /** A new secret for one's own authenticator. @throws ApiError 401 | 409 | 429 */
  async beginAuthenticator(principal: Principal, given: { password: string; address: string; site: string }) {
    const user = await this.checkOwnPassword(principal, given);
    return this.factors.begin(user, given.site);
  }

  /** @throws ApiError 403 | 409 | 429 */
  async confirmAuthenticator(
    principal: Principal,
    given: { readonly code: string; readonly address: string },
  ): Promise<{ readonly recoveryCodes: string[] }> {
    const userId = ownAccount(principal);
    this.requireNoWait(principal.name, given.address);
    try {
      return await this.factors.confirm(userId, given.code);
    } catch (error) {
      this.noteWrongAttempt(principal.name, given.address);
      throw error;
    }
  }

  /** @throws ApiError 401 | 409 | 429 */
  async removeAuthenticator(
    principal: Principal,
    given: { readonly password: string; readonly code: string; readonly address: string },
  ): Promise<void> {
    const user = await this.checkOwnPassword(principal, given);
    await this.#checkCode(user, given.code, given.address);
    await this.factors.removeAuthenticator(user.id);
  }

  /** For who has lost it. Its sessions end: somebody else may have found it. @throws ApiError 404 */
  async resetSecondFactor(idOrName: string): Promise<void> {
    const user = await this.requireUser(idOrName);
    await this.factors.removeAll(user.id);
    await this.#store.removeSessionsOf(user.id, null);
  }

  /** @throws ApiError 401 | 409 | 429 */
  async checkOwnPassword(principal: Principal, given: Omit<GivenPassword, "name">): Promise<StoredUser> {
    requirePassword(await this.requireUser(ownAccount(principal)));
    return this.checkPassword({ ...given, name: principal.name });
  }

  async #setPassword(userId: string, password: string, keptSession: string | null): Promise<void> {
    await this.#store.updateUser(userId, { passwordHash: await encodePassword(password) });
    await this.#store.removeSessionsOf(userId, keptSession);
  }

  listUsers(): Promise<StoredUser[]> {
    return this.#store.listUsers();
  }

  /** @throws ApiError 404 */
  async requireUser(idOrName: string): Promise<StoredUser> {
    const user = await this.#store.findUser(idOrName);
    if (user === null) {
      throw new ApiError(404, "not-found", `there is no account ${idOrName}; portolan user list shows them`);
    }
    return user;
  }

  /** @throws ApiError 409 when the name is taken */
  async createUser(given: {
    readonly name: string;
    readonly role: Role;
    /** `null`: it logs in elsewhere. */
    readonly password: string | null;
    /** Groups of computers it is limited to; `null`: the whole site. */
    readonly groupIds?: readonly string[] | null;
  }): Promise<StoredUser> {
    const { name, role, password, groupIds = null } = given;
    if ((await this.#store.findUser(name)) !== null) {
      throw new ApiError(409, "name-taken", `there is an account ${name} already`);
    }
    const user: StoredUser = {
      id: `u-${randomBytes(4).toString("hex")}`,
      name,
      role,
      passwordHash: password === null ? null : await encodePassword(password),
      createdAtMs: Math.round(this.#epochMs()),
      lastLoginAtMs: null,
      groupIds,
    };
    await this.#store.insertUser(user);
    return user;
  }

  /** @throws ApiError 404 | 409 when nobody would be left who administers */
  async setRole(idOrName: string, role: Role): Promise<StoredUser> {
    return this.#change({ ...(await this.requireUser(idOrName)), role });
  }

  /** Limits an account to groups of computers; `null`: the whole site. @throws ApiError 404 | 409 as `setRole` */
  async setGroups(idOrName: string, groupIds: readonly string[] | null): Promise<StoredUser> {
    return this.#change({ ...(await this.requireUser(idOrName)), groupIds });
  }

  async #change(user: StoredUser): Promise<StoredUser> {
    await this.#requireAdministrator(user);
    const { role, groupIds } = user;
    await this.#store.updateUser(user.id, { role, groupIds });
    return user;
  }

  /** Names of the accounts and tokens that are limited to a group. */
  async limitedTo(groupId: string): Promise<string[]> {
    const owners = [...(await this.#store.listUsers()), ...(await this.#store.listTokens())];
    return owners.filter(({ groupIds }) => groupIds?.includes(groupId) === true).map(({ name }) => name);
  }

  /** @throws ApiError 404 | 409 */
  async setPassword(idOrName: string, password: string): Promise<void> {
    const user = await this.requireUser(idOrName);
    requirePassword(user);
    await this.#setPassword(user.id, password, null);
  }

  /** @throws ApiError 404 | 409 */
  async removeUser(idOrName: string): Promise<void> {
    const user = await this.requireUser(idOrName);
    await this.#requireAdministrator({ ...user, role: "viewer" });
    await this.#store.removeUser(user.id);
  }

  /** Who sees only some groups cannot look after accounts: an administrator of the whole site must stay. */
  async #requireAdministrator(changed: StoredUser): Promise<void> {
    const isWhole = ({ role, groupIds }: StoredUser): boolean =>
      role === "administrator" && groupIds === null;
    const users = await this.#store.listUsers();
    const hadOne = users.some(isWhole);
    const keepsOne = [...users.filter(({ id }) => id !== changed.id), changed].some(isWhole);
    if (hadOne && !keepsOne) {
      throw new ApiError(
        409,
        "last-administrator",
        `${changed.name} is the only administrator of the whole site; make another first`,
      );
    }
  }
}
