import { buildRouteMap } from "@stricli/core";
import type { InitialDeploymentResource } from "#api/initial-deployment-api.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { printable } from "../printable-text.ts";
import { readDuration } from "../read-duration.ts";

const actions = ["wait", "local", "menu", "job"] as const;

const actionSentences: Readonly<Record<InitialDeploymentResource["action"], string>> = {
  wait: "new computers boot preboot and wait there for an operator",
  local: "new computers are left alone and boot from their own disk",
  menu: "new computers show a menu, once they are let in",
  job: "new computers do the default job, once they are let in",
};

export function formatInitialDeployment(resource: InitialDeploymentResource): string {
  const { action, entries, defaultName, menuMs, mayErase, problems, computers } = resource;
  const rows = entries.map(({ choice, label, isDestructive, isDefault }, index) => [
    String(index + 1),
    printable(label),
    choice,
    [isDefault ? "default" : "", isDestructive ? "erases the disk" : ""]
      .filter((word) => word !== "")
      .join(", "),
  ]);
  const after =
    menuMs === 0 ? "the menu waits for a person" : `the default is taken after ${menuMs / 1000} s`;
  const usesDefault = action === "menu" || action === "job";
  return [
    `${action}: ${actionSentences[action]}`,
    ...(action === "menu" ? [formatTable(["key", "entry", "choice", ""], rows), after] : []),
    ...(usesDefault ? [`default: ${printable(defaultName ?? resource.default)}`] : []),
    ...(usesDefault
      ? [`a default that erases disks is ${mayErase ? "allowed" : "not taken without a person"}`]
      : []),
    ...problems.map((problem) => `PROBLEM: ${problem}`),
    ...computers.map(({ name, computerId, text }) => `${printable(name)} (${computerId}): ${text}`),
  ].join("\n");
}

function readAction(text: string | undefined): { readonly action?: (typeof actions)[number] } {
  if (text === undefined) {
    return {};
  }
  const action = actions.find((word) => word === text);
  if (action === undefined) {
    throw new UsageError(`--action is one of ${actions.join(", ")}, not ${text}`);
  }
  return { action };
}

function readFlag(text: string | undefined): { readonly mayErase?: boolean } {
  if (text === undefined) {
    return {};
  }
  if (text !== "on" && text !== "off") {
    throw new UsageError(`--may-erase is on or off, not ${text}`);
  }
  return { mayErase: text === "on" };
}

function readJobs(text: string | undefined): { readonly jobs?: string[] } {
  return text === undefined
    ? {}
    : { jobs: text === "none" ? [] : text.split(",").map((word) => word.trim()) };
}

export const initialDeploymentCommand = buildRouteMap({
  docs: { brief: "What new computers get: wait, local disk, menu, or a job" },
  routes: {
    show: apiCommand({
      brief: "What new computers get, and who is at it",
      run: async ({ client }) => {
        const resource = await client.call("showInitialDeployment");
        return { json: resource, text: formatInitialDeployment(resource) };
      },
    }),
    set: apiCommand({
      brief: "Change what new computers get",
      flags: {
        action: { brief: "wait, local, menu or job", placeholder: "ACTION" },
        jobs: { brief: "Jobs of the menu in order, by id or name; or none", placeholder: "JOB,JOB" },
        default: { brief: "What is done when nobody chooses: a job, local or wait", placeholder: "JOB" },
        timeout: {
          brief: "How long the menu waits for a key, such as 30s; 0s for ever",
          placeholder: "TIME",
        },
        mayErase: { brief: "on: the default may erase a disk without a person there", placeholder: "on|off" },
      },
      run: async ({ client, flags: { action, jobs, default: wanted, timeout, mayErase } }) => {
        const body = {
          ...readAction(action),
          ...readJobs(jobs),
          ...(wanted === undefined ? {} : { default: wanted }),
          ...(timeout === undefined ? {} : { menuMs: readDuration(timeout) }),
          ...readFlag(mayErase),
        };
        if (Object.keys(body).length === 0) {
          throw new UsageError("say what to change: --action, --jobs, --default, --timeout or --may-erase");
        }
        const resource = await client.call("setInitialDeployment", { body });
        return {
          json: resource,
          text: formatInitialDeployment(resource),
          exitCode: resource.problems.length === 0 ? 0 : 1,
        };
      },
    }),
    ask: apiCommand<[string]>({
      brief: "Give a known computer Initial Deployment at its next network boot",
      arguments: ["COMPUTER"],
      switches: { cancel: { brief: "Not any more" } },
      run: async ({ client, args: [id], switches }) => {
        const answer = await client.call("askInitialDeployment", {
          id,
          body: { isAsked: switches["cancel"] !== true },
        });
        return { json: answer, text: answer.text };
      },
    }),
  },
});
