import type { FindingResource } from "#api/plan-lint-api.ts";
import { computeFlows } from "#plan/flows.ts";
import { lintPlan } from "#plan/lint/lint-plan.ts";
import { fixedListenerPorts } from "#plan/lint/lint-ports.ts";
import { listPortHolders } from "#platform/list-port-holders.ts";
import type { PortolanServer } from "./server.ts";

/** The findings for the settings as they are now, which may be newer than the sockets that are open. */
export function lintServer({ settings, config, segments, verify }: PortolanServer): FindingResource[] {
  const current = settings.current();
  const flows = computeFlows(current, { consolePort: config.consolePort });
  const findings = lintPlan({
    flows,
    settings: current,
    segments: segments.current(),
    holders: listPortHolders(fixedListenerPorts(flows)),
    hops: verify
      .latest()
      .flatMap(({ segment, routerCount = null }) =>
        routerCount === null ? [] : [{ segmentName: segment.name, routerCount }],
      ),
  });
  return findings.map((finding) => ({ ...finding, flows: [...finding.flows] }));
}

/** What a change of settings should say: every fault, and of the rest what the change brought. `plan lint` has it all. */
export function findingsOfChange(
  before: readonly FindingResource[],
  after: readonly FindingResource[],
): FindingResource[] {
  const known = new Set(before.map(({ code, subject }) => `${code} ${subject}`));
  return after.filter(
    ({ severity, code, subject }) => severity === "fault" || !known.has(`${code} ${subject}`),
  );
}
