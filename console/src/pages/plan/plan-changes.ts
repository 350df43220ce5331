import type { Flow } from "#plan/flow.ts";
import { computeFlows } from "#plan/flows.ts";
import { overlaySettings, SettingError, settingRules } from "#plan/setting-rules.ts";
import { classicSettings } from "#plan/settings.ts";
import type { SegmentResource } from "#api/segment-api.ts";
import { computeRuleChanges, type RuleChange } from "./rule-changes.ts";

/** One line of what a change of settings does to the network. */
export type PlanChange = {
  readonly type: "opened" | "closed";
  readonly flowId: string;
  readonly title: string;
  readonly line: string;
};

export type PlanEffect =
  | {
      readonly type: "changes";
      readonly changes: readonly PlanChange[];
      readonly rules: readonly RuleChange[];
    }
  | { readonly type: "refused"; readonly key: string; readonly message: string };

export function formatPorts(ports: Flow["ports"] | { from: number; to: number } | readonly number[]): string {
  return "from" in ports ? `${ports.from}–${ports.to}` : [...ports].join(", ");
}

/** Each socket a flow may have, as one line: transport, ports, group, TTL. One that another carries has none of its own. */
function linesOf(flow: Flow): string[] {
  if (flow.state === "off" || flow.carrier !== null) {
    return [];
  }
  const ports = "from" in flow.ports ? [formatPorts(flow.ports)] : flow.ports.map(String);
  const groups = flow.groups.length === 0 ? [""] : flow.groups.map((group) => ` ${group}`);
  const ttl = flow.ttl === null ? "" : `, TTL ${flow.ttl}`;
  return groups.flatMap((group) =>
    ports.map((port) => `${flow.transport.toUpperCase()} ${port}${group}${ttl}`),
  );
}

type Texts = Readonly<Record<string, string>>;

/** Settings that this version of the console does not know are left out: they change no flow it knows. */
function known(texts: Texts): Texts {
  return Object.fromEntries(Object.entries(texts).filter(([key]) => Object.hasOwn(settingRules, key)));
}

function flowsOf(texts: Texts): Flow[] {
  return computeFlows(overlaySettings(classicSettings, known(texts)), {
    consolePort: Number(location.port || 443),
  });
}

/** What goes and what comes when these values replace those: computed by the very code that opens the sockets. */
export function computeEffect(before: Texts, after: Texts, segments: readonly SegmentResource[]): PlanEffect {
  try {
    const [old, next] = [flowsOf(before), flowsOf(after)];
    const changes: PlanChange[] = [];
    for (const flow of next) {
      const was = old.find(({ id }) => id === flow.id);
      const oldLines = was === undefined ? [] : linesOf(was);
      const newLines = linesOf(flow);
      const { id: flowId, title } = flow;
      for (const line of oldLines.filter((candidate) => !newLines.includes(candidate))) {
        changes.push({ type: "closed", flowId, title, line });
      }
      for (const line of newLines.filter((candidate) => !oldLines.includes(candidate))) {
        changes.push({ type: "opened", flowId, title, line });
      }
    }
    return { type: "changes", changes, rules: computeRuleChanges(old, next, segments) };
  } catch (error) {
    if (error instanceof SettingError) {
      return { type: "refused", key: error.key, message: error.message };
    }
    throw error;
  }
}
