import type { Flow, FlowPorts } from "./flow.ts";

/** `67, 68`, `401-402` or `any above 1024`. */
export function formatPorts(ports: FlowPorts): string {
  if ("from" in ports) {
    return ports.from === 1025 && ports.to === 65535 ? "any above 1024" : `${ports.from}-${ports.to}`;
  }
  return ports.join(", ");
}

/** What the table shows of a flow, as the plan has it or as the API gives it. */
type ShownFlow = {
  readonly [Key in "id" | "from" | "transport" | "purpose" | "state" | "origin"]: string;
} & {
  readonly to: readonly string[];
  readonly groups: readonly string[];
  readonly setting: string | null;
} & Pick<Flow, "ports" | "ttl">;

/** What governs the ports of a flow. The console is there before there are settings. */
export function formatSetting({ id, setting }: Pick<ShownFlow, "id" | "setting">): string {
  return setting ?? (id === "console.https" ? "console.port in the configuration file" : "fixed");
}

/** The flows as a Markdown table. */
export function formatFlowTable(flows: readonly ShownFlow[]): string {
  const rows = flows.map((flow) => {
    const groups = flow.groups.length === 0 ? "" : `${flow.groups.join(", ")} (TTL ${flow.ttl})`;
    const setting = flow.setting === null ? formatSetting(flow) : `\`${flow.setting}\``;
    const state = flow.state === "on" ? "" : " (off)";
    const origin = flow.origin === "ours" ? " *" : "";
    return (
      `| \`${flow.id}\`${state}${origin} | ${flow.from} → ${flow.to.join(", ")} | ${flow.transport} | ` +
      `${formatPorts(flow.ports)} | ${groups} | ${setting} | ${flow.purpose} |`
    );
  });
  return [
    "| flow | from → to | protocol | ports | groups | setting | why |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
    "`*` our addition; every other flow is named by the 2002 paper on the ports of a deployment server.",
  ].join("\n");
}
