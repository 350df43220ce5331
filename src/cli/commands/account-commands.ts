import { buildRouteMap } from "@stricli/core";
import type { AuditResource, TokenResource, UserResource } from "#api/account-api.ts";
import { type Role, roles } from "#api/route.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";
import { printable } from "../printable-text.ts";
import { readNewPassword } from "../read-password.ts";

function parseRole(text: string): Role {
  const role = roles.find((candidate) => candidate === text);
  if (role === undefined) {
    throw new UsageError(`there is no role ${text}; there are ${roles.join(", ")}`);
  }
  return role;
}

function formatUsers(users: readonly UserResource[]): string {
  if (users.length === 0) {
    return "no account yet; portolan user add NAME administrator makes the first";
  }
  const rows = users.map(({ id, name, role, lastLoginAt }) => [
    id,
    name,
    role,
    lastLoginAt === null ? "never" : formatTime(lastLoginAt),
  ]);
  return formatTable(["id", "name", "role", "last login"], rows);
}

function formatTokens(tokens: readonly TokenResource[]): string {
  if (tokens.length === 0) {
    return "no token; portolan token create NAME ROLE makes one";
  }
  const rows = tokens.map((token) => [
    token.id,
    printable(token.name),
    token.role,
    token.userName ?? "local administrator",
    token.expiresAt === null ? "never" : formatTime(token.expiresAt),
    token.lastUsedAt === null ? "never" : formatTime(token.lastUsedAt),
  ]);
  return formatTable(["id", "name", "role", "made by", "expires", "last used"], rows);
}

function formatAudit(entries: readonly AuditResource[]): string {
  if (entries.length === 0) {
    return "nothing has been done yet";
  }
  const rows = entries.map(({ at, actor, address, action, target, outcome, detail }) => [
    formatTime(at),
    printable(actor),
    address,
    action,
    printable(target ?? ""),
    outcome,
    printable(detail ?? "").slice(0, 80),
  ]);
  return formatTable(["when", "who", "from", "what", "on", "outcome", "detail"], rows);
}

export const userCommand = buildRouteMap({
  docs: { brief: "Accounts: add, list, change and remove" },
  routes: {
    list: apiCommand({
      brief: "All accounts",
      run: async ({ client }) => {
        const users = await client.call("listUsers");
        return { json: users, text: formatUsers(users) };
      },
    }),
    add: apiCommand<[string, string]>({
      brief: "Make an account; asks for its password, or reads it from standard input",
      arguments: ["NAME", "ROLE"],
      run: async ({ client, args: [name, roleText] }) => {
        const role = parseRole(roleText);
        const user = await client.call("createUser", {
          body: { name, role, password: await readNewPassword(name) },
        });
        return { json: user, text: `${user.name} may log in as ${user.role}` };
      },
    }),
    role: apiCommand<[string, string]>({
      brief: "Change what an account may do",
      arguments: ["NAME", "ROLE"],
      run: async ({ client, args: [name, roleText] }) => {
        const user = await client.call("setUserRole", { id: name, body: { role: parseRole(roleText) } });
        return { json: user, text: `${user.name} is ${user.role} now` };
      },
    }),
    password: apiCommand<[string]>({
      brief: "Set a new password; all sessions of the account end",
      arguments: ["NAME"],
      run: async ({ client, args: [name] }) => {
        const body = { password: await readNewPassword(name) };
        const answer = await client.call("setUserPassword", { id: name, body });
        return { json: answer, text: `${name} has a new password; its sessions have ended` };
      },
    }),
    remove: apiCommand<[string]>({
      brief: "Remove an account with its sessions and tokens",
      arguments: ["NAME"],
      run: async ({ client, args: [name] }) => {
        const answer = await client.call("removeUser", { id: name });
        return { json: answer, text: `${name} is removed` };
      },
    }),
  },
});

export const tokenCommand = buildRouteMap({
  docs: { brief: "API tokens: create, list, revoke" },
  routes: {
    list: apiCommand({
      brief: "All tokens, without their secrets",
      run: async ({ client }) => {
        const tokens = await client.call("listTokens");
        return { json: tokens, text: formatTokens(tokens) };
      },
    }),
    create: apiCommand<[string, string]>({
      brief: "Make a token for 90 days; its secret is shown this once",
      arguments: ["NAME", "ROLE"],
      run: async ({ client, args: [name, roleText] }) => {
        const answer = await client.call("createToken", { body: { name, role: parseRole(roleText) } });
        return { json: answer, text: `${answer.secret}\n\nThis is shown once. Send it as a Bearer token.` };
      },
    }),
    revoke: apiCommand<[string]>({
      brief: "End a token at once",
      arguments: ["ID"],
      run: async ({ client, args: [id] }) => {
        const answer = await client.call("revokeToken", { id });
        return { json: answer, text: `${id} opens nothing any more` };
      },
    }),
  },
});

export const auditCommand = apiCommand({
  brief: "Who did what, when and from where; newest first",
  run: async ({ client }) => {
    const entries = await client.call("listAudit");
    return { json: entries, text: formatAudit(entries) };
  },
});
