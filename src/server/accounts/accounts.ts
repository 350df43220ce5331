import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { MeResource } from "#api/account-api.ts";
import { type Role, roles } from "#api/route.ts";
import type { AccountStore, StoredConsoleSession, StoredToken, StoredUser } from "#store/account-store.ts";
import { ApiError } from "../api-error.ts";
import { createSecret, hashSecret, proofHeader, readCookie } from "./console-cookie.ts";
import { LoginLimit } from "./login-limit.ts";
import { decoyHash, encodePassword, isPassword } from "./password.ts";
import { hasRole, type Principal } from "./principal.ts";

const idleMsMax = 12 * 3_600_000;
const ageMsMax = 7 * 24 * 3_600_000;
const confirmationMs = 5 * 60_000;
/** Use is noted this often: not every request is worth a write. */
const useNoteDelayMs = 60_000;
const setupCodeLifetimeMs = 24 * 3_600_000;

export type AccountsOptions = {
  /** Bearer token of the local administrator. */
  readonly adminToken: string;
};

/** Who somebody is, or why not. */
export type Authentication =
  | { readonly type: "known"; readonly principal: Principal }
  | { readonly type: "absent" }
  | { readonly type: "refused"; readonly action: string; readonly actor: string; readonly detail: string };

export type OpenedSession = {
  readonly me: MeResource;
  readonly proof: string;
  readonly cookieSecret: string;
};

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(a)), Buffer.from(hashSecret(b)));
}

export function toMe({ type, name, role, confirmedUntilMs }: Principal): MeResource {
  if (type === "nobody" || role === null) {
    throw new ApiError(401, "not-authorised", "log in first");
  }
  return { type, name, role, confirmedUntil: confirmedUntilMs };
}

function roleOf(text: string): Role {
  const role = roles.find((candidate) => candidate === text);
  if (role === undefined) {
    throw new Error(`the stored role ${text} is not one of ${roles.join(", ")}`);
  }
  return role;
}

/** Accounts, console sessions and API tokens: who may come in, and as whom. */
export class Accounts {
  readonly #options: AccountsOptions;
  readonly #store: AccountStore;
  readonly #epochMs: () => number;
  readonly #limit = new LoginLimit();
  #setupCode: { readonly code: string; readonly untilMs: number } | null = null;

  constructor(options: AccountsOptions, edges: { store: AccountStore; epochMs: () => number }) {
    this.#options = options;
    this.#store = edges.store;
    this.#epochMs = edges.epochMs;
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
    this.#requireNoWait("", given.address, nowMs);
    const setup = this.#setupCode;
    if (setup === null || setup.untilMs < nowMs || !isSame(setup.code, given.code)) {
      this.#limit.fail("", given.address, nowMs);
      throw new ApiError(403, "bad-setup-code", "this is not the code that the server printed at its start");
    }
    this.#setupCode = null;
    if (!(await this.needsFirstUser())) {
      throw new ApiError(409, "already-set-up", "there is an account already; log in with it");
    }
    const user = await this.createUser({ name: given.name, role: "administrator", password: given.password });
    return this.#openSession(user, given.address);
  }

  /** @throws ApiError 401 | 429 */
  async login(given: {
    readonly name: string;
    readonly password: string;
    readonly address: string;
  }): Promise<OpenedSession> {
    const user = await this.#checkPassword(given);
    return this.#openSession(user, given.address);
  }

  async #checkPassword(given: {
    readonly name: string;
    readonly password: string;
    readonly address: string;
  }): Promise<StoredUser> {
    const { name, password, address } = given;
    this.#requireNoWait(name, address, this.#epochMs());
    const user = await this.#store.findUser(name);
    const isRight = await isPassword(password, user?.passwordHash ?? (await decoyHash()));
    if (user === null || user.passwordHash === null || !isRight) {
      this.#limit.fail(name, address, this.#epochMs());
      throw new ApiError(401, "bad-login", "this name and this password do not belong together");
    }
    this.#limit.succeed(name);
    return user;
  }

  #requireNoWait(name: string, address: string, nowMs: number): void {
    const waitMs = this.#limit.waitMs(name, address, nowMs);
    if (waitMs > 0) {
      throw new ApiError(
        429,
        "too-many-attempts",
        `too many wrong attempts; try again in ${Math.ceil(waitMs / 60_000)} minutes`,
      );
    }
  }

  async #openSession(user: StoredUser, address: string): Promise<OpenedSession> {
    const nowMs = Math.round(this.#epochMs());
    const cookieSecret = createSecret();
    const proof = createSecret();
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
    return { me: toMe(this.#principalOf(user, session)), proof, cookieSecret };
  }

  #principalOf(user: StoredUser, session: StoredConsoleSession): Principal {
    return {
      type: "user",
      name: user.name,
      role: roleOf(user.role),
      userId: user.id,
      sessionHash: session.idHash,
      confirmedUntilMs: session.confirmedUntilMs,
    };
  }

  /** Who sent these headers. `proof` is given where a browser cannot set a header of its own. */
  async authenticate(headers: IncomingHttpHeaders, proof?: string): Promise<Authentication> {
    const [scheme, token] = (headers.authorization ?? "").split(" ");
    if (scheme === "Bearer" && token !== undefined) {
      return this.#authenticateToken(token);
    }
    const cookie = readCookie(headers.cookie);
    if (cookie === null) {
      return { type: "absent" };
    }
    const header = headers[proofHeader];
    return this.#authenticateSession(cookie, proof ?? (typeof header === "string" ? header : null));
  }

  async #authenticateToken(token: string): Promise<Authentication> {
    if (isSame(token, this.#options.adminToken)) {
      const principal: Principal = {
        type: "local",
        name: "local administrator",
        role: "administrator",
        userId: null,
        sessionHash: null,
        // Whoever reads the server's data directory is root there.
        confirmedUntilMs: Number.MAX_SAFE_INTEGER,
      };
      return { type: "known", principal };
    }
    const found = await this.#store.findToken(hashSecret(token));
    const nowMs = Math.round(this.#epochMs());
    if (found === null) {
      return { type: "refused", action: "bad-token", actor: "nobody", detail: "the token is unknown" };
    }
    if (found.expiresAtMs !== null && found.expiresAtMs < nowMs) {
      return { type: "refused", action: "bad-token", actor: found.name, detail: "the token has expired" };
    }
    if (nowMs - (found.lastUsedAtMs ?? 0) > useNoteDelayMs) {
      await this.#store.noteTokenUse(found.id, nowMs);
    }
    return {
      type: "known",
      principal: {
        type: "token",
        name: found.name,
        role: await this.#roleOfToken(found),
        userId: found.userId,
        sessionHash: null,
        confirmedUntilMs: found.allowsFleetWork === 1 ? Number.MAX_SAFE_INTEGER : null,
      },
    };
  }

  /** A token never outgrows the account it belongs to. */
  async #roleOfToken(token: StoredToken): Promise<Role> {
    const role = roleOf(token.role);
    const owner = token.userId === null ? null : await this.#store.findUser(token.userId);
    const limit = owner === null ? role : roleOf(owner.role);
    return roles.indexOf(limit) < roles.indexOf(role) ? limit : role;
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
    if (proof === null || !isSame(hashSecret(proof), session.proofHash)) {
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
    await this.#checkPassword({ name: principal.name, password, address });
    const confirmedUntilMs = Math.round(this.#epochMs()) + confirmationMs;
    await this.#store.updateSession(sessionHash, { confirmedUntilMs });
    return { ...principal, confirmedUntilMs };
  }

  /** @throws ApiError 401 | 409 | 429 */
  async changeOwnPassword(
    principal: Principal,
    given: { readonly password: string; readonly newPassword: string; readonly address: string },
  ): Promise<void> {
    if (principal.userId === null || principal.type !== "user") {
      throw new ApiError(409, "no-password", "only an account has a password");
    }
    await this.#checkPassword({ name: principal.name, password: given.password, address: given.address });
    await this.#setPassword(principal.userId, given.newPassword, principal.sessionHash);
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
    readonly password: string;
  }): Promise<StoredUser> {
    const { name, role, password } = given;
    if ((await this.#store.findUser(name)) !== null) {
      throw new ApiError(409, "name-taken", `there is an account ${name} already`);
    }
    const user: StoredUser = {
      id: `u-${randomBytes(4).toString("hex")}`,
      name,
      role,
      passwordHash: await encodePassword(password),
      createdAtMs: Math.round(this.#epochMs()),
      lastLoginAtMs: null,
    };
    await this.#store.insertUser(user);
    return user;
  }

  /** @throws ApiError 404 | 409 when nobody would be left who administers */
  async setRole(idOrName: string, role: Role): Promise<StoredUser> {
    const user = await this.requireUser(idOrName);
    await this.#requireOtherAdministrator(user, role);
    await this.#store.updateUser(user.id, { role });
    return { ...user, role };
  }

  /** @throws ApiError 404 */
  async setPassword(idOrName: string, password: string): Promise<void> {
    const user = await this.requireUser(idOrName);
    await this.#setPassword(user.id, password, null);
  }

  /** @throws ApiError 404 | 409 */
  async removeUser(idOrName: string): Promise<void> {
    const user = await this.requireUser(idOrName);
    await this.#requireOtherAdministrator(user, null);
    await this.#store.removeUser(user.id);
  }

  async #requireOtherAdministrator(user: StoredUser, newRole: Role | null): Promise<void> {
    const others = (await this.#store.listUsers()).filter(({ id }) => id !== user.id);
    const isLast = user.role === "administrator" && !others.some(({ role }) => role === "administrator");
    if (isLast && newRole !== "administrator") {
      throw new ApiError(
        409,
        "last-administrator",
        `${user.name} is the only administrator; make another first`,
      );
    }
  }

  listTokens(): Promise<StoredToken[]> {
    return this.#store.listTokens();
  }

  /** The secret is not kept: it is shown once. @throws ApiError 403 when it would be able to do more than its maker */
  async createToken(
    principal: Principal,
    given: {
      readonly name: string;
      readonly role: Role;
      readonly lifetimeDays: number | null;
      readonly allowsFleetWork: boolean;
    },
  ): Promise<{ readonly token: StoredToken; readonly secret: string }> {
    if (!hasRole(principal, given.role)) {
      throw new ApiError(403, "role-too-high", `a token cannot be ${given.role}: you are ${principal.role}`);
    }
    const secret = `portolan_${createSecret()}`;
    const nowMs = Math.round(this.#epochMs());
    const token: StoredToken = {
      id: `t-${randomBytes(4).toString("hex")}`,
      name: given.name,
      userId: principal.userId,
      role: given.role,
      secretHash: hashSecret(secret),
      allowsFleetWork: given.allowsFleetWork ? 1 : 0,
      createdAtMs: nowMs,
      expiresAtMs: given.lifetimeDays === null ? null : nowMs + given.lifetimeDays * 24 * 3_600_000,
      lastUsedAtMs: null,
    };
    await this.#store.insertToken(token);
    return { token, secret };
  }

  /** @throws ApiError 404 */
  async revokeToken(id: string): Promise<void> {
    if (!(await this.#store.removeToken(id))) {
      throw new ApiError(404, "not-found", `there is no token ${id}; portolan token list shows them`);
    }
  }
}
