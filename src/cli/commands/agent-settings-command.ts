import type { AgentStateResource, ComputerEventResource } from "#api/agent-api.ts";
import type { RouteBody, RouteResponse } from "#api/contract.ts";
import { nearestWord } from "#plan/nearest.ts";
import type { ApiClient } from "../api-client.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { readDuration } from "../read-duration.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";

type Change = RouteBody<"changeAgentSettings">["change"];
type Sent = RouteResponse<"changeAgentSettings">[number];

const keys = [
  "server",
  "controlPort",
  "discovery",
  "discoveryGroup",
  "discoveryPort",
  "discoveryTtl",
  "remoteControl",
  "remoteNotice",
  "lockPassword",
] as const;
const pollMs = 500;

function readNumber(key: string, value: string): number {
  if (!/^[0-9]{1,5}$/.test(value)) {
    throw new UsageError(`${key}: ${value} is no number`);
  }
  return Number(value);
}

function readPair(word: string): Partial<Change> {
  const key = word.slice(0, word.indexOf("="));
  const value = word.slice(word.indexOf("=") + 1);
  switch (key) {
    case "server":
    case "lockPassword":
      return { [key]: value === "" ? null : value };
    case "discoveryGroup":
      return { [key]: value };
    case "discovery":
    case "remoteNotice":
      if (value !== "on" && value !== "off") {
        throw new UsageError(`${key} is on or off, not ${value}`);
      }
      return { [key]: value === "on" };
    case "remoteControl":
      if (value !== "allow" && value !== "ask" && value !== "never") {
        throw new UsageError(`remoteControl is allow, ask or never, not ${value}`);
      }
      return { remoteControl: value };
    case "controlPort":
    case "discoveryPort":
    case "discoveryTtl":
      return { [key]: readNumber(key, value) };
    default: {
      const nearest = nearestWord(key, keys);
      const hint = nearest === null ? `known are ${keys.join(", ")}` : `is it ${nearest}?`;
      throw new UsageError(`the setting ${key} is unknown; ${hint}`);
    }
  }
}

function formatStates(states: readonly AgentStateResource[]): string {
  const rows = states.map(({ name, settings, isLocked, change }) => [
    name,
    settings === null ? "not told yet" : (settings.server ?? "by multicast"),
    settings === null ? "" : String(settings.controlPort),
    settings === null
      ? ""
      : settings.discovery
        ? `${settings.discoveryGroup}:${settings.discoveryPort}, TTL ${settings.discoveryTtl}`
        : "off",
    isLocked ? "yes" : "no",
    settings === null ? "" : `${settings.remoteControl}${settings.remoteNotice ? "" : ", without a notice"}`,
    change === null
      ? ""
      : `${change.changeId} ${change.outcome}${change.reason === null ? "" : `: ${change.reason}`}`,
  ]);
  return formatTable(
    ["computer", "server", "port", "discovery", "locked", "remote control", "last change"],
    rows,
  );
}

/** Until every agent has told what became of it, or should have. */
async function awaitOutcomes(
  client: ApiClient,
  sent: readonly Sent[],
  given: { readonly limitMs: number; readonly onState: (state: AgentStateResource) => void },
): Promise<AgentStateResource[]> {
  const waiting = new Map(
    sent.flatMap((one) => (one.changeId === null ? [] : [[one.computerId, one.changeId]])),
  );
  const states: AgentStateResource[] = [];
  const endMs = performance.now() + given.limitMs;
  while (waiting.size > 0 && performance.now() < endMs) {
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs);
    });
    for (const [id, changeId] of waiting) {
      const state = await client.call("showAgentSettings", { id });
      if (state.change?.changeId !== changeId || state.change.outcome !== "sent") {
        waiting.delete(id);
        states.push(state);
        given.onState(state);
      }
    }
  }
  for (const id of waiting.keys()) {
    states.push(await client.call("showAgentSettings", { id }));
  }
  return states;
}

/** Reports take a reconnection with its pauses. */
const reportPatienceMs = 60_000;

export const computerSettingsCommand = apiCommand({
  brief: "Show or change the settings of agents: COMPUTER… KEY=VALUE…",
  list: "COMPUTER|KEY=VALUE",
  flags: {
    returnAfter: {
      brief: "The old settings return when the server is not reached in this time (2m)",
      placeholder: "TIME",
    },
  },
  run: async ({ client, list, flags: { returnAfter = "2m" }, isJson, stdout }) => {
    const computers = list.filter((word) => !word.includes("="));
    const pairs = list.filter((word) => word.includes("="));
    if (computers.length === 0) {
      throw new UsageError("no computer is named");
    }
    if (pairs.length === 0) {
      const states = await Promise.all(computers.map((id) => client.call("showAgentSettings", { id })));
      return { json: states, text: formatStates(states) };
    }
    const change: Change = Object.assign({}, ...pairs.map(readPair)) as Change;
    const returnAfterMs = readDuration(returnAfter);
    const sent = await client.call("changeAgentSettings", { body: { computers, change, returnAfterMs } });
    const say = (text: string): void => {
      if (!isJson) {
        stdout.write(`${text}\n`);
      }
    };
    for (const { name, changeId, reason } of sent) {
      say(changeId === null ? `${name}: not sent, ${reason}` : `${name}: sent, waiting for its agent`);
    }
    const states = await awaitOutcomes(client, sent, {
      limitMs: returnAfterMs + reportPatienceMs,
      onState: ({ name, change: last }) => say(`${name}: ${last?.outcome ?? ""}`),
    });
    const failed =
      sent.some(({ changeId }) => changeId === null) ||
      states.some((state) => state.change?.outcome !== "applied");
    return { json: { sent, states }, text: formatStates(states), exitCode: failed ? 1 : 0 };
  },
});

function formatHistory(events: readonly ComputerEventResource[]): string {
  if (events.length === 0) {
    return "nothing happened yet";
  }
  const rows = events.map(({ at, computerId, kind, detail }) => [
    formatTime(at),
    computerId ?? "",
    kind,
    detail,
  ]);
  return formatTable(["time", "computer", "what", "detail"], rows);
}

export const computerHistoryCommand = apiCommand<[string]>({
  brief: "What happened to it outside of boots and jobs; all: of every computer",
  arguments: ["COMPUTER|all"],
  run: async ({ client, args: [id] }) => {
    const events =
      id === "all" ? await client.call("listHistory") : await client.call("listComputerHistory", { id });
    return { json: events, text: formatHistory(events) };
  },
});
