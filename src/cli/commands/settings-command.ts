import { buildRouteMap } from "@stricli/core";
import type { RouteResponse } from "#api/contract.ts";
import type { FindingResource } from "#api/plan-lint-api.ts";
import type { ControlMoveResource, SettingResource, SiteServerResource } from "#api/settings-api.ts";
import { settingProfiles } from "#plan/settings.ts";
import { parseSettingKey } from "#plan/setting-rules.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";
import { printable } from "../printable-text.ts";
import { readSecret } from "../read-password.ts";
import { formatFindings } from "./plan-lint-command.ts";

/** Where a value comes from, when it is not the profile's, and which servers run with another. */
function explainValue(setting: SettingResource): string {
  const own = setting.source === "server" ? `this server's own; the site has ${setting.siteValue}` : null;
  const changed = setting.source === "site" ? `changed (${setting.default})` : null;
  const others = setting.servers.map(
    ({ server, value, isOwn }) => `${server}${isOwn ? " has its own" : " STILL RUNS WITH"} ${value}`,
  );
  return [own, changed, ...others].filter((text) => text !== null).join("; ");
}

function formatSettings(settings: readonly SettingResource[]): string {
  const rows = settings.map((setting) => [setting.key, setting.value, setting.help, explainValue(setting)]);
  return formatTable(["setting", "value", "what it is", ""], rows);
}

/** Only where there is something to say: several servers, or one that cannot follow. */
function formatServers(servers: readonly SiteServerResource[]): string {
  const lines = servers.flatMap(({ name, isAlive, isThis, problems }) => [
    ...(servers.length < 2
      ? []
      : [`server ${name}: ${isThis ? "this one" : isAlive ? "in step unless shown above" : "not heard of"}`]),
    ...problems.map((problem) => `${name} cannot follow: ${problem}`),
  ]);
  return lines.length === 0 ? "" : `\n\n${lines.join("\n")}`;
}

export function formatMove(move: ControlMoveResource): string {
  const { port, oldPorts, addresses, oldAddresses, oldDiscovery, stragglers } = move;
  const rows = stragglers.map((straggler) => [
    straggler.name,
    straggler.isConnected ? "connected" : "away",
    straggler.lastSeenAt === null ? "never" : formatTime(straggler.lastSeenAt),
    straggler.lastOrder ?? "not told yet",
  ]);
  const old = [
    ...(oldPorts.length === 0 ? [] : [`TCP port ${oldPorts.join(", ")}`]),
    ...(oldAddresses.length === 0 ? [] : [`address ${oldAddresses.join(", ")}`]),
    ...(oldDiscovery.length === 0 ? [] : [`discovery on ${oldDiscovery.join(", ")}`]),
  ];
  const left =
    rows.length === 0 ? "" : `\n${formatTable(["left behind", "now", "last seen", "order to move"], rows)}`;
  const place = `TCP port ${port} of ${addresses.join(", ")}`;
  return old.length === 0
    ? `agents connect to ${place}; no change is under way${left}`
    : `agents move to ${place}; ${old.join(" and ")} stays open for ${stragglers.length} computers${left}\n` +
        "portolan settings staged --release closes it now";
}

function formatProvider(provider: RouteResponse<"showProvider">): string {
  const { issuer, hasSecret, problem, redirectUris } = provider;
  return [
    issuer === null
      ? "no login provider; portolan settings set login.issuer ADDRESS"
      : `login provider ${printable(issuer)}, ${hasSecret ? "with a secret" : "without a secret"}: ${problem === null ? "it answers" : printable(problem)}`,
    redirectUris.length === 0
      ? "it cannot send browsers back yet; portolan settings set console.name NAME"
      : `it must know one of these redirect addresses: ${redirectUris.join(" ")}`,
  ].join("\n");
}

const serverFlag = { server: { brief: "One server of the site", placeholder: "NAME" } } as const;

function serverOf(flags: Readonly<Record<string, string | undefined>>): { readonly server?: string } {
  return flags["server"] === undefined ? {} : { server: flags["server"] };
}

function withFindings(text: string, findings: readonly FindingResource[]): string {
  return findings.length === 0 ? text : `${text}\n${formatFindings(findings)}`;
}

export const settingsCommand = buildRouteMap({
  docs: { brief: "Settings of the site and of its servers" },
  routes: {
    list: apiCommand({
      brief: "Every setting with its value, and servers that differ",
      flags: serverFlag,
      run: async ({ client, flags }) => {
        const settings = await client.call("listSettings", { query: serverOf(flags) });
        const servers = await client.call("listServers");
        return { json: settings, text: `${formatSettings(settings)}${formatServers(servers)}` };
      },
    }),
    get: apiCommand<[string]>({
      brief: "One setting",
      arguments: ["KEY"],
      flags: serverFlag,
      run: async ({ client, args: [text], flags }) => {
        const key = parseSettingKey(text);
        const settings = await client.call("listSettings", { query: serverOf(flags) });
        const setting = settings.find((candidate) => candidate.key === key);
        return { json: setting ?? null, text: setting?.value ?? "" };
      },
    }),
    set: apiCommand<[string, string]>({
      brief: "Change one setting, for the site or with --server for one server",
      arguments: ["KEY", "VALUE"],
      flags: serverFlag,
      run: async ({ client, args: [text, value], flags }) => {
        const key = parseSettingKey(text);
        const answer = await client.call("setSetting", { id: key, body: { value, ...serverOf(flags) } });
        return {
          json: answer,
          text: withFindings(`${key} = ${answer.setting.value}\n${answer.effect}`, answer.findings),
          exitCode: answer.problems.length === 0 ? 0 : 1,
        };
      },
    }),
    reset: apiCommand<[string]>({
      brief: "Go back to the profile's value, or with --server to the site's",
      arguments: ["KEY"],
      flags: serverFlag,
      run: async ({ client, args: [text], flags }) => {
        const key = parseSettingKey(text);
        const answer = await client.call("resetSetting", { id: key, body: serverOf(flags) });
        return {
          json: answer,
          text: withFindings(`${key} = ${answer.setting.value}\n${answer.effect}`, answer.findings),
          exitCode: answer.problems.length === 0 ? 0 : 1,
        };
      },
    }),
    provider: apiCommand({
      brief: "What the login provider must be told of this site, and whether its secret is kept here",
      run: async ({ client }) => {
        const provider = await client.call("showProvider");
        return { json: provider, text: formatProvider(provider) };
      },
    }),
    "provider-secret": apiCommand({
      brief:
        "Keep the login provider's secret; asks for it, or reads it from standard input; never shown again",
      switches: { remove: { brief: "Forget it" } },
      run: async ({ client, switches }) => {
        const secret =
          switches["remove"] === true ? null : await readSecret("Secret of the login provider: ");
        const answer = await client.call("setProviderSecret", { body: { secret } });
        return { json: answer, text: secret === null ? "the secret is forgotten" : "the secret is kept" };
      },
    }),
    staged: apiCommand({
      brief: "A change of control port, address or discovery under way, and who has not moved",
      switches: { release: { brief: "Close what is old now, whoever is left" } },
      run: async ({ client, switches }) => {
        const isRelease = switches["release"] === true;
        const move = await client.call(isRelease ? "releaseControlMove" : "showControlMove");
        return { json: move, text: formatMove(move) };
      },
    }),
    profile: apiCommand<[string]>({
      brief: "Take all values of a profile: classic or firewall",
      arguments: ["PROFILE"],
      run: async ({ client, args: [name] }) => {
        if (name !== "classic" && name !== "firewall") {
          throw new UsageError(
            `there is no profile ${name}; there are ${Object.keys(settingProfiles).join(" and ")}`,
          );
        }
        const answer = await client.call("setProfile", { body: { profile: name } });
        return {
          json: answer,
          text: withFindings(`profile ${answer.profile}\n${answer.effect}`, answer.findings),
          exitCode: answer.problems.length === 0 ? 0 : 1,
        };
      },
    }),
  },
});
