import { buildRouteMap } from "@stricli/core";
import type { FindingResource } from "#api/plan-lint-api.ts";
import type { SettingResource } from "#api/settings-api.ts";
import { settingProfiles } from "#plan/settings.ts";
import { parseSettingKey } from "#plan/setting-rules.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatFindings } from "./plan-lint-command.ts";

function formatSettings(settings: readonly SettingResource[]): string {
  const rows = settings.map((setting) => [
    setting.key,
    setting.value,
    setting.isChanged ? `changed (${setting.default})` : "",
    setting.help,
  ]);
  return formatTable(["setting", "value", "", "what it is"], rows);
}

function withFindings(text: string, findings: readonly FindingResource[]): string {
  return findings.length === 0 ? text : `${text}\n${formatFindings(findings)}`;
}

export const settingsCommand = buildRouteMap({
  docs: { brief: "Settings of the site" },
  routes: {
    list: apiCommand({
      brief: "Every setting with its value",
      run: async ({ client }) => {
        const settings = await client.call("listSettings");
        return { json: settings, text: formatSettings(settings) };
      },
    }),
    get: apiCommand<[string]>({
      brief: "One setting",
      arguments: ["KEY"],
      run: async ({ client, args: [text] }) => {
        const key = parseSettingKey(text);
        const settings = await client.call("listSettings");
        const setting = settings.find((candidate) => candidate.key === key);
        return { json: setting ?? null, text: setting?.value ?? "" };
      },
    }),
    set: apiCommand<[string, string]>({
      brief: "Change one setting",
      arguments: ["KEY", "VALUE"],
      run: async ({ client, args: [text, value] }) => {
        const key = parseSettingKey(text);
        const answer = await client.call("setSetting", { id: key, body: { value } });
        return {
          json: answer,
          text: withFindings(`${key} = ${answer.setting.value}\n${answer.effect}`, answer.findings),
          exitCode: answer.problems.length === 0 ? 0 : 1,
        };
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
