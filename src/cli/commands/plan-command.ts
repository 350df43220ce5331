import { buildRouteMap } from "@stricli/core";
import type { PlanResource } from "#api/plan-api.ts";
import { formatFlowTable, formatPorts } from "#plan/format-flows.ts";
import { apiCommand } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
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

function formatPlan(plan: PlanResource): string {
  const rows = plan.flows.map((flow) => [
    `${flow.id}${flow.origin === "ours" ? " *" : ""}`,
    flow.state,
    `${flow.from} → ${flow.to.join(", ")}`,
    flow.transport,
    formatPorts(flow.ports),
    flow.groups.length === 0 ? "" : `${flow.groups.join(" ")} ttl ${flow.ttl}`,
    flow.setting ?? "fixed",
    formatSockets(flow),
  ]);
  const headers = ["flow", "state", "from → to", "proto", "ports", "groups", "setting", "open now"];
  const differences =
    plan.differences.length === 0
      ? "the open sockets are exactly those of the plan"
      : plan.differences.map((difference) => `DIFFERENCE: ${difference}`).join("\n");
  return [
    `server ${plan.server}, profile ${plan.profile}`,
    "",
    formatSegments(plan.segments),
    "",
    formatTable(headers, rows),
    "",
    "* our addition; every other flow is named by the 2002 paper",
    differences,
  ].join("\n");
}

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
        return { json: plan, text, exitCode: plan.differences.length === 0 ? 0 : 3 };
      },
    }),
    lint: lintCommand,
    export: exportCommand,
    formats: formatsCommand,
    bundle: bundleCommand,
  },
});
