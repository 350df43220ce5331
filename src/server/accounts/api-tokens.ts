import { randomBytes } from "node:crypto";
import { type Role, roles } from "#api/route.ts";
import type { GroupLimits } from "#engine/group/group-limit.ts";
import type { AccountStore, StoredToken, StoredUser } from "#store/account-store.ts";
import { ApiError } from "../api-error.ts";
import { createSecret, hashSecret, isSameSecret } from "./console-cookie.ts";
import { hasRole, type Principal, roleOf } from "./principal.ts";

/** Use is noted this often: not every request is worth a write. */
const useNoteDelayMs = 60_000;

export type AccountsOptions = {
  /** Bearer token of the local administrator. */
  readonly adminToken: string;
};

/** Who somebody is, or why not. */
export type Authentication =
  | { readonly type: "known"; readonly principal: Principal }
  | { readonly type: "absent" }
  | { readonly type: "refused"; readonly action: string; readonly actor: string; readonly detail: string };

/** A token never outgrows the account it belongs to: neither in what it may do, */
function roleOfToken(token: StoredToken, owner: StoredUser | null): Role {
  const role = roleOf(token.role);
  const limit = owner === null ? role : roleOf(owner.role);
  return roles.indexOf(limit) < roles.indexOf(role) ? limit : role;
}

/** nor in where. */
export function limitsOf(...owners: (Pick<StoredUser, "groupIds"> | null)[]): GroupLimits {
  return owners.map((owner) => owner?.groupIds ?? null).filter((groupIds) => groupIds !== null);
}

/** API tokens of programs, and the one of this machine's administrator. */
export class ApiTokens {
  readonly #options: AccountsOptions;
  readonly #store: AccountStore;
  readonly #epochMs: () => number;

  constructor(options: AccountsOptions, edges: { store: AccountStore; epochMs: () => number }) {
    this.#options = options;
    this.#store = edges.store;
    this.#epochMs = edges.epochMs;
  }

  async authenticate(token: string): Promise<Authentication> {
    if (isSameSecret(token, this.#options.adminToken)) {
      const principal: Principal = {
        type: "local",
        name: "local administrator",
        role: "administrator",
        userId: null,
        sessionHash: null,
        // Whoever reads the server's data directory is root there.
        confirmedUntilMs: Number.MAX_SAFE_INTEGER,
        hasPassword: false,
        limits: [],
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
    const owner = found.userId === null ? null : await this.#store.findUser(found.userId);
    return {
      type: "known",
      principal: {
        type: "token",
        name: found.name,
        role: roleOfToken(found, owner),
        userId: found.userId,
        sessionHash: null,
        confirmedUntilMs: found.allowsFleetWork === 1 ? Number.MAX_SAFE_INTEGER : null,
        hasPassword: false,
        limits: limitsOf(owner, found),
      },
    };
  }

  list(): Promise<StoredToken[]> {
    return this.#store.listTokens();
  }

  /** The secret is not kept: it is shown once. @throws ApiError 403 when it would be able to do more than its maker */
  async create(
    principal: Principal,
    given: {
      readonly name: string;
      readonly role: Role;
      readonly lifetimeDays: number | null;
      readonly allowsFleetWork: boolean;
      /** `null`: every computer of the site. */
      readonly groupIds: readonly string[] | null;
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
      groupIds: given.groupIds,
    };
    await this.#store.insertToken(token);
    return { token, secret };
  }

  /** @throws ApiError 404 */
  async revoke(id: string): Promise<void> {
    if (!(await this.#store.removeToken(id))) {
      throw new ApiError(404, "not-found", `there is no token ${id}; portolan token list shows them`);
    }
  }
}
