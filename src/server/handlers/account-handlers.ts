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

function toGroups(
  { groups }: Pick<PortolanServer, "groups">,
  groupIds: readonly string[] | null,
): UserResource["groups"] {
  return groupIds?.map((id) => ({ id, path: groups.pathOf(id) || id })) ?? null;
}

/** Words for groups to their ids. @throws ApiError 404 | 409 */
function readGroups(
  { groups }: Pick<PortolanServer, "groups">,
  words: readonly string[] | null,
): string[] | null {
  return words === null ? null : [...new Set(words.map((word) => groups.require(word).id))];
}

/** @param withFactor ids of the accounts that show a second factor */
function toUser(server: PortolanServer, user: StoredUser, withFactor: readonly string[]): UserResource {
  const { id, name, role, createdAtMs, lastLoginAtMs } = user;
  const hasSecondFactor = withFactor.includes(id);
  return {
    id,
    name,
    role: roleOf(role),
    createdAt: createdAtMs,
    lastLoginAt: lastLoginAtMs,
    hasSecondFactor,
    hasPassword: user.passwordHash !== null,
    groups: toGroups(server, user.groupIds),
  };
}

function toToken(server: PortolanServer, token: StoredToken, users: readonly StoredUser[]): TokenResource {
  return {
    id: token.id,
    name: token.name,
    userName: users.find(({ id }) => id === token.userId)?.name ?? null,
    role: roleOf(token.role),
    createdAt: token.createdAtMs,
    expiresAt: token.expiresAtMs,
    lastUsedAt: token.lastUsedAtMs,
    allowsFleetWork: token.allowsFleetWork === 1,
    groups: toGroups(server, token.groupIds),
  };
}

/** The cookie goes by header, the proof by the answer: a page that has one has not the other. */
export function giveSession(
  { me, proof, cookieSecret }: OpenedSession,
  setCookie: (cookie: string) => void,
): { me: OpenedSession["me"]; proof: string } {
  setCookie(formatCookie(cookieSecret));
  return { me, proof };
}

export function accountHandlers(server: PortolanServer) {
  const { accounts, providerAccess, audit } = server;
  return {
    showSetup: async () => ({ needsFirstUser: await accounts.needsFirstUser() }),
    createFirstUser: async ({ body, address, setCookie }) =>
      giveSession(await accounts.createFirstUser({ ...body, address }), setCookie),
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
      return giveSession(session, setCookie);
    },
    logout: async ({ principal, setCookie }) => {
      await accounts.logout(principal);
      setCookie(clearedCookie);
      return { ok: true as const, providerUrl: await providerAccess.logoutUrl(principal) };
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
      return (await accounts.listUsers()).map((user) => toUser(server, user, withFactor));
    },
    createUser: async ({ body: { groups, ...given } }) =>
      toUser(server, await accounts.createUser({ ...given, groupIds: readGroups(server, groups) }), []),
    setUserRole: async ({ id, body }) =>
      toUser(server, await accounts.setRole(id, body.role), await accounts.factors.listUsers()),
    setUserGroups: async ({ id, body }) =>
      toUser(
        server,
        await accounts.setGroups(id, readGroups(server, body.groups)),
        await accounts.factors.listUsers(),
      ),
    setUserPassword: async ({ id, body }) => {
      await accounts.setPassword(id, body.password);
      return { ok: true as const };
    },
    removeUser: async ({ id }) => {
      await accounts.removeUser(id);
      return { ok: true as const };
    },
    ...tokenHandlers(server),
    listAudit: async ({ query, scope: { groupIds }, principal: { type, name } }) =>
      (
        await audit.list({
          ...query,
          inside: groupIds === null ? null : { groupIds, ownName: type === "user" ? name : null },
        })
      ).map(({ atMs, ...entry }) => ({ ...entry, at: atMs })),
  } satisfies Partial<ApiHandlers>;
}

function tokenHandlers(server: PortolanServer) {
  const { accounts } = server;
  return {
    listTokens: async () => {
      const users = await accounts.listUsers();
      return (await accounts.tokens.list()).map((token) => toToken(server, token, users));
    },
    createToken: async ({ principal, body: { groups, ...given } }) => {
      const groupIds = readGroups(server, groups);
      const { token, secret } = await accounts.tokens.create(principal, { ...given, groupIds });
      return { token: toToken(server, token, await accounts.listUsers()), secret };
    },
    revokeToken: async ({ id }) => {
      await accounts.tokens.revoke(id);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
