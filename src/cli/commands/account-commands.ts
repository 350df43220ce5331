import { buildRouteMap } from "@stricli/core";
import type { TokenResource, UserResource } from "#api/account-api.ts";
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

/** @throws UsageError */
function parseDays(text: string): number | null {
  if (text !== "never" && !/^[1-9][0-9]{0,3}$/.test(text)) {
    throw new UsageError(`--days ${text} is no number of days; write 1 to 3650, or never`);
  }
  return text === "never" ? null : Number(text);
}

function formatUsers(users: readonly UserResource[]): string {
  if (users.length === 0) {
    return "no account yet; portolan user add NAME administrator makes the first";
  }
  const rows = users.map(({ id, name, role, lastLoginAt, hasSecondFactor }) => [
    id,
    name,
    role,
    hasSecondFactor ? "code" : "no",
    lastLoginAt === null ? "never" : formatTime(lastLoginAt),
  ]);
  return formatTable(["id", "name", "role", "second factor", "last login"], rows);
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
    "reset-second-factor": apiCommand<[string]>({
      brief: "Ask an account for its password alone, when its authenticator is lost; its sessions end",
      arguments: ["NAME"],
      run: async ({ client, args: [name] }) => {
        const answer = await client.call("resetSecondFactor", { id: name });
        return {
          json: answer,
          text: `${name} logs in by password alone until it adds an authenticator again`,
        };
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
      brief: "Make a token, for 90 days unless --days says otherwise; its secret is shown this once",
      arguments: ["NAME", "ROLE"],
      flags: { days: { brief: "Good for so many days; never for no end", placeholder: "DAYS|never" } },
      switches: { "fleet-work": { brief: "May erase many computers at once" } },
      run: async ({ client, args: [name, roleText], flags, switches }) => {
        const answer = await client.call("createToken", {
          body: {
            name,
            role: parseRole(roleText),
            allowsFleetWork: switches["fleet-work"] === true,
            ...(flags["days"] === undefined ? {} : { lifetimeDays: parseDays(flags["days"]) }),
          },
        });
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
