import type { PlanResource } from "#api/plan-api.ts";
import { createApiClient } from "#cli/api-client.ts";
import { type KernelSocket, readKernelGroups, readKernelSockets } from "./kernel-sockets.ts";

/*
 * Runs in the server's namespace: takes a running server through combinations of settings and prints, for each, the plan
 * and what the kernel says. usage: combine-settings.ts DATA-DIR SERVER-PID COMBINATIONS-AS-JSON
 */
export type Combination = {
  readonly profile: "classic" | "firewall";
  readonly settings: Readonly<Record<string, string>>;
};

export type Observation = {
  readonly combination: Combination;
  readonly effects: readonly string[];
  readonly plan: PlanResource;
  readonly kernelSockets: readonly KernelSocket[];
  readonly kernelGroups: readonly string[];
};

async function main(dataDir: string, pid: number, combinations: readonly Combination[]): Promise<void> {
  const client = createApiClient(dataDir);
  let profile = "";
  let settings: Combination["settings"] = {};
  for (const combination of combinations) {
    const effects: string[] = [];
    if (combination.profile !== profile) {
      ({ profile } = combination);
      settings = {};
      effects.push((await client.call("setProfile", { body: { profile: combination.profile } })).effect);
    }
    const before = settings;
    ({ settings } = combination);
    for (const [id, value] of Object.entries(settings).filter(([key, text]) => before[key] !== text)) {
      effects.push((await client.call("setSetting", { id, body: { value } })).effect);
    }
    const observation: Observation = {
      combination,
      effects,
      plan: await client.call("showPlan"),
      kernelSockets: readKernelSockets(pid),
      kernelGroups: readKernelGroups(),
    };
    process.stdout.write(`${JSON.stringify(observation)}\n`);
  }
}

const [dataDir, pid, json] = process.argv.slice(2);
if (import.meta.main && dataDir !== undefined && json !== undefined) {
  await main(dataDir, Number(pid), JSON.parse(json) as Combination[]);
}
