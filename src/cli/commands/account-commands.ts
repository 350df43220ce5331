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

/** Groups that somebody is limited to, by word; none or `/`, which holds all of them: the whole site. @throws UsageError */
function readLimit(words: readonly string[]): string[] | null {
  if (words.length > 1 && words.includes("/")) {
    throw new UsageError("/ is the whole site; name it alone, or name groups");
  }
  return words.length === 0 || words.includes("/") ? null : [...words];
}

function formatLimit(groups: UserResource["groups"]): string {
  return groups === null ? "the whole site" : groups.map(({ path }) => printable(path)).join(", ");
}

function formatUsers(users: readonly UserResource[]): string {
  if (users.length === 0) {
    return "no account yet; portolan user add NAME administrator makes the first";
  }
  const rows = users.map(({ id, name, role, groups, lastLoginAt, hasSecondFactor, hasPassword }) => [
    id,
    name,
    role,
    formatLimit(groups),
    hasPassword ? (hasSecondFactor ? "yes" : "no") : "login provider's",
    lastLoginAt === null ? "never" : formatTime(lastLoginAt),
  ]);
  return formatTable(["id", "name", "role", "computers", "second factor", "last login"], rows);
}

function formatTokens(tokens: readonly TokenResource[]): string {
  if (tokens.length === 0) {
    return "no token; portolan token create NAME ROLE makes one";
  }
  const rows = tokens.map((token) => [
    token.id,
    printable(token.name),
    token.role,
    formatLimit(token.groups),
    token.userName ?? "local administrator",
    token.expiresAt === null ? "never" : formatTime(token.expiresAt),
    token.lastUsedAt === null ? "never" : formatTime(token.lastUsedAt),
  ]);
  return formatTable(["id", "name", "role", "computers", "made by", "expires", "last used"], rows);
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
      brief: "Make an account, for some groups of computers only when they are named; asks for its password",
      arguments: ["NAME", "ROLE"],
      list: "GROUP",
      isListOptional: true,
      run: async ({ client, args: [name, roleText], list }) => {
        const role = parseRole(roleText);
        const user = await client.call("createUser", {
          body: { name, role, password: await readNewPassword(name), groups: readLimit(list) },
        });
        return {
          json: user,
          text: `${user.name} may log in as ${user.role} for ${formatLimit(user.groups)}`,
        };
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
    groups: apiCommand<[string]>({
      brief: "Limit an account to groups of computers and what is in them; / for the whole site",
      arguments: ["NAME"],
      list: "GROUP",
      run: async ({ client, args: [name], list }) => {
        const user = await client.call("setUserGroups", { id: name, body: { groups: readLimit(list) } });
        return { json: user, text: `${user.name} sees and touches ${formatLimit(user.groups)}` };
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
      brief: "Ask an account for its password alone, when authenticator or keys are lost; its sessions end",
      arguments: ["NAME"],
      run: async ({ client, args: [name] }) => {
        const answer = await client.call("resetSecondFactor", { id: name });
        return {
          json: answer,
          text: `${name} logs in by password alone until it adds an authenticator or a key again`,
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
      brief:
        "Make a token, for some groups of computers only when they are named; its secret is shown this once",
      arguments: ["NAME", "ROLE"],
      list: "GROUP",
      isListOptional: true,
      flags: {
        days: {
          brief: "Good for so many days, 90 when left out; never for no end",
          placeholder: "DAYS|never",
        },
      },
      switches: { "fleet-work": { brief: "May erase many computers at once" } },
      run: async ({ client, args: [name, roleText], list, flags, switches }) => {
        const answer = await client.call("createToken", {
          body: {
            name,
            role: parseRole(roleText),
            groups: readLimit(list),
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
