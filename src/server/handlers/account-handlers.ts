import type { TokenResource, UserResource } from "#api/account-api.ts";
import { roles } from "#api/route.ts";
import type { StoredToken, StoredUser } from "#store/account-store.ts";
import { type OpenedSession, toMe } from "../accounts/accounts.ts";
import { clearedCookie, formatCookie } from "../accounts/console-cookie.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";

function roleOf(text: string): (typeof roles)[number] {
  return roles.find((role) => role === text) ?? "viewer";
}

/** @param withFactor ids of the accounts that show a second factor */
function toUser(user: StoredUser, withFactor: readonly string[]): UserResource {
  const { id, name, role, createdAtMs, lastLoginAtMs } = user;
  const hasSecondFactor = withFactor.includes(id);
  return {
    id,
    name,
    role: roleOf(role),
    createdAt: createdAtMs,
    lastLoginAt: lastLoginAtMs,
    hasSecondFactor,
  };
}

function toToken(token: StoredToken, users: readonly StoredUser[]): TokenResource {
  return {
    id: token.id,
    name: token.name,
    userName: users.find(({ id }) => id === token.userId)?.name ?? null,
    role: roleOf(token.role),
    createdAt: token.createdAtMs,
    expiresAt: token.expiresAtMs,
    lastUsedAt: token.lastUsedAtMs,
    allowsFleetWork: token.allowsFleetWork === 1,
  };
}

export function accountHandlers(server: PortolanServer) {
  const { accounts, audit } = server;
  const opened = ({ me, proof, cookieSecret }: OpenedSession, setCookie: (cookie: string) => void) => {
    setCookie(formatCookie(cookieSecret));
    return { me, proof };
  };
  return {
    showSetup: async () => ({ needsFirstUser: await accounts.needsFirstUser() }),
    createFirstUser: async ({ body, address, setCookie }) =>
      opened(await accounts.createFirstUser({ ...body, address }), setCookie),
    login: async ({ body, address, setCookie }) => {
      const session = await accounts.login({ ...body, address });
      if (session.factor === "recovery-code") {
        const { recoveryCodesLeft } = await accounts.factors.show((await accounts.requireUser(body.name)).id);
        const detail = `${recoveryCodesLeft} left`;
        await audit.record({
          principal: session.me,
          action: "recoveryCode",
          outcome: "done",
          detail,
          address,
        });
      }
      return opened(session, setCookie);
    },
    logout: async ({ principal, setCookie }) => {
      await accounts.logout(principal);
      setCookie(clearedCookie);
      return { ok: true as const };
    },
    showMe: async ({ principal }) => toMe(principal),
    confirmMe: async ({ principal, body, address }) =>
      toMe(await accounts.confirm(principal, body.password, address)),
    changeMyPassword: async ({ principal, body, address }) => {
      await accounts.changeOwnPassword(principal, { ...body, address });
      return { ok: true as const };
    },
    listUsers: async () => {
      const withFactor = await accounts.factors.listUsers();
      return (await accounts.listUsers()).map((user) => toUser(user, withFactor));
    },
    createUser: async ({ body }) => toUser(await accounts.createUser(body), []),
    setUserRole: async ({ id, body }) =>
      toUser(await accounts.setRole(id, body.role), await accounts.factors.listUsers()),
    setUserPassword: async ({ id, body }) => {
      await accounts.setPassword(id, body.password);
      return { ok: true as const };
    },
    removeUser: async ({ id }) => {
      await accounts.removeUser(id);
      return { ok: true as const };
    },
    listTokens: async () => {
      const users = await accounts.listUsers();
      return (await accounts.tokens.list()).map((token) => toToken(token, users));
    },
    createToken: async ({ principal, body }) => {
      const { token, secret } = await accounts.tokens.create(principal, body);
      return { token: toToken(token, await accounts.listUsers()), secret };
    },
    revokeToken: async ({ id }) => {
      await accounts.tokens.revoke(id);
      return { ok: true as const };
    },
    listAudit: async ({ query }) =>
      (await audit.list(query)).map(({ atMs, ...entry }) => ({ ...entry, at: atMs })),
  } satisfies Partial<ApiHandlers>;
}
