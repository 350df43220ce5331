import { buildRouteMap } from "@stricli/core";
import type { PlanResource } from "#api/plan-api.ts";
import { formatFlowTable, formatPorts, formatSetting } from "#plan/format-flows.ts";
import { apiCommand } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";
import { bundleCommand } from "./plan-bundle-command.ts";
import { exportCommand, formatsCommand } from "./plan-export-command.ts";
import { lintCommand } from "./plan-lint-command.ts";
import { formatSegments } from "./segment-command.ts";
import { planFindingsCommand } from "./plan-findings-command.ts";
import { planVerifyCommand } from "./plan-verify-command.ts";

type FlowResource = PlanResource["flows"][number];

function formatSockets(flow: FlowResource): string {
  return flow.sockets
    .map(
      (socket) =>
        `${socket.address}:${socket.port}${socket.interface === null ? "" : `%${socket.interface}`}`,
    )
    .join(" ");
}

function isDifferent(plan: PlanResource): boolean {
  return [plan, ...plan.others].some(({ differences }) => differences.length > 0);
}

/** Of this server and of the others of the site, each by name. */
function describeDifferences(plan: PlanResource): string[] {
  const own = plan.differences.map((difference) => `DIFFERENCE: ${difference}`);
  const others = plan.others.flatMap(({ server, isAlive, seenAt, differences }) => {
    if (!isAlive) {
      return [`server ${server}: not heard of since ${formatTime(seenAt)}, so nothing is known of it`];
    }
    return differences.length === 0
      ? [`server ${server}: follows the plan`]
      : differences.map((difference) => `DIFFERENCE at server ${server}: ${difference}`);
  });
  return [...(own.length === 0 ? ["the open sockets are exactly those of the plan"] : own), ...others];
}

function formatPlan(plan: PlanResource): string {
  const rows = plan.flows.map((flow) => [
    `${flow.id}${flow.origin === "ours" ? " *" : ""}`,
    flow.state,
    `${flow.from} → ${flow.to.join(", ")}`,
    flow.transport,
    formatPorts(flow.ports),
    flow.groups.length === 0 ? "" : `${flow.groups.join(" ")} ttl ${flow.ttl}`,
    formatSetting(flow),
    formatSockets(flow),
  ]);
  const headers = ["flow", "state", "from → to", "proto", "ports", "groups", "setting", "open now"];
  return [
    `server ${plan.server}, profile ${plan.profile}`,
    "",
    formatSegments(plan.segments),
    "",
    formatTable(headers, rows),
    "",
    "* our addition; every other flow is named by the 2002 paper",
    ...describeDifferences(plan),
  ].join("\n");
}

/** To hand on: of this server alone. */
function formatMarkdown(plan: PlanResource): string {
  const differences = plan.differences.map((difference) => `**Difference:** ${difference}`);
  return [
    `# Ports and groups of ${plan.server}, profile ${plan.profile}`,
    formatFlowTable(plan.flows),
    ...(differences.length === 0 ? ["The open sockets are exactly those of the plan."] : differences),
  ].join("\n\n");
}

export const planCommand = buildRouteMap({
  docs: { brief: "Which ports and groups are needed, and why" },
  routes: {
    verify: planVerifyCommand,
    findings: planFindingsCommand,
    show: apiCommand({
      brief: "Every flow, with the sockets open now",
      switches: { markdown: { brief: "As a Markdown table with the reason for each flow, to hand on" } },
      run: async ({ client, switches }) => {
        const plan = await client.call("showPlan");
        const text = switches["markdown"] === true ? formatMarkdown(plan) : formatPlan(plan);
        return { json: plan, text, exitCode: isDifferent(plan) ? 3 : 0 };
      },
    }),
    lint: lintCommand,
    export: exportCommand,
    formats: formatsCommand,
    bundle: bundleCommand,
  },
});
