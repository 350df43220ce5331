import { type Role, roles } from "#api/route.ts";
import type { GroupLimits } from "#engine/group/group-limit.ts";
import { ApiError } from "../api-error.ts";

/** Who calls the API. Every handler gets one. */
export type Principal = {
  /** `local`: by the token in the data directory. `nobody`: on public routes only. */
  readonly type: "local" | "user" | "token" | "nobody";
  readonly name: string;
  readonly role: Role | null;
  /** The account behind it, `null` for the local administrator and his tokens. */
  readonly userId: string | null;
  /** Of a console session: SHA-256 of its cookie. */
  readonly sessionHash: string | null;
  /** May order work that erases many computers until then; epoch ms. */
  readonly confirmedUntilMs: number | null;
  /** False for accounts that log in at the login provider, and for programs. */
  readonly hasPassword: boolean;
  /** Groups of computers outside of which it sees and does nothing. */
  readonly limits: GroupLimits;
};

export const nobody: Principal = {
  type: "nobody",
  name: "nobody",
  role: null,
  userId: null,
  sessionHash: null,
  confirmedUntilMs: null,
  hasPassword: false,
  limits: [[]],
};

/** @throws when the store holds what no version of this program has written */
export function roleOf(text: string): Role {
  const role = roles.find((candidate) => candidate === text);
  if (role === undefined) {
    throw new Error(`the stored role ${text} is not one of ${roles.join(", ")}`);
  }
  return role;
}

/** @throws ApiError 409 for tokens and the local administrator */
export function ownAccount({ type, userId }: Principal): string {
  if (userId === null || type !== "user") {
    throw new ApiError(409, "no-password", "only an account has a password and a second factor");
  }
  return userId;
}

export function hasRole(principal: Principal, role: Role): boolean {
  return principal.role !== null && roles.indexOf(principal.role) >= roles.indexOf(role);
}

/** From this many computers on, work that erases them is asked for twice. */
export const fleetCountMin = 10;

/**
 * Work that erases many computers at once needs more than a session somebody may have left open.
 *
 * @throws ApiError 403 `confirmation-needed`
 */
export function requireFleetConfirmation(
  principal: Principal,
  work: { readonly computerCount: number; readonly isDestructive: boolean },
  nowMs: number,
): void {
  const { computerCount, isDestructive } = work;
  const isConfirmed = (principal.confirmedUntilMs ?? 0) > nowMs;
  if (!isDestructive || computerCount < fleetCountMin || isConfirmed) {
    return;
  }
  throw new ApiError(
    403,
    "confirmation-needed",
    principal.type === "token"
      ? `this erases ${computerCount} computers, and the token ${principal.name} was not made for that`
      : principal.hasPassword
        ? `this erases ${computerCount} computers; give your password once more`
        : `this erases ${computerCount} computers; log in once more at the login provider, by the menu behind your name`,
  );
}
