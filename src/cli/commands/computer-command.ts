import { buildRouteMap } from "@stricli/core";
import type { BootEventResource } from "#api/boot-api.ts";
import type { ComputerResource, SoftwareResource } from "#api/computer-api.ts";
import type { NetworkCard } from "#wire/control/network-card.ts";
import { apiCommand } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";
import { printable } from "../printable-text.ts";
import {
  enrolmentTokenCommand,
  enrolmentTokensCommand,
  enrolmentWindowCommand,
  pendingCommand,
  removeTokenCommand,
  revokeCommand,
} from "./enrolment-commands.ts";
import { readGroupWord } from "./group-command.ts";
import { computerDesktopCommand } from "./desktop-command.ts";
import { computerFilesCommand } from "./files-command.ts";
import { agentPackageCommand } from "./agent-package-command.ts";
import { buildAgentCommand, installCommand } from "./install-command.ts";
import { pullCommand } from "./pull-command.ts";
import {
  computerTerminalCommand,
  endSessionCommand,
  recordingsCommand,
  remoteSessionsCommand,
} from "./terminal-command.ts";
import { computerHistoryCommand, computerSettingsCommand } from "./agent-settings-command.ts";

function formatComputers(computers: readonly ComputerResource[]): string {
  if (computers.length === 0) {
    return "no computer yet; boot one from the network, or install an agent, and it appears here";
  }
  const rows = computers.map((computer) => [
    computer.id,
    computer.name,
    computer.state,
    computer.environment ?? "not connected",
    computer.macs.join(" "),
    computer.address ?? "",
    computer.lastSeenAt === null ? "" : formatTime(computer.lastSeenAt),
  ]);
  return formatTable(["id", "name", "state", "agent", "mac", "address", "last seen"], rows);
}

/** Where its cards are plugged in, as their switches said. */
function formatPlugs(inventory: unknown): string {
  // The API passes on what the agent said; the server has checked it.
  const { cards } = (inventory ?? {}) as { readonly cards?: readonly NetworkCard[] };
  return (cards ?? [])
    .flatMap(({ name, neighbour }) =>
      neighbour === null
        ? []
        : [`${name}: ${neighbour.systemName ?? neighbour.chassisId} port ${neighbour.portId}`],
    )
    .join(", ");
}

function formatComputer(computer: ComputerResource): string {
  const facts: [string, string | null][] = [
    ["id", computer.id],
    ["name", computer.name],
    ["state", computer.reason === null ? computer.state : `${computer.state}: ${computer.reason}`],
    ["agent", computer.environment ?? "not connected"],
    ["address", computer.address],
    ["MAC", computer.macs.join(", ")],
    ["UUID", computer.uuid],
    ["serial", computer.serial],
    ["product", computer.product],
    ["firmware", computer.firmware],
    ["switch", formatPlugs(computer.inventory)],
    ["last seen", computer.lastSeenAt === null ? null : formatTime(computer.lastSeenAt)],
  ];
  return facts
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name.padEnd(10)} ${printable(value ?? "")}`)
    .join("\n");
}

function formatSoftware({ packages, users, toldAt }: SoftwareResource): string {
  return toldAt === null
    ? "software   not told yet; agents of installed Linux systems tell it"
    : `software   ${packages.length} packages, told ${formatTime(toldAt)}\nusers      ${printable(users.join(", "))}`;
}

export function formatBootEvents(events: readonly BootEventResource[]): string {
  if (events.length === 0) {
    return "no boot event";
  }
  const rows = events.map((event) => [
    formatTime(event.at),
    event.mac ?? "",
    event.stage,
    event.outcome,
    [event.reason, event.detail].filter((part) => part !== null).join(": "),
    printable(event.trace ?? ""),
  ]);
  return formatTable(["time", "mac", "stage", "outcome", "why", "how it came"], rows);
}

export const computerCommand = buildRouteMap({
  docs: { brief: "List, approve, wake and forget computers" },
  routes: {
    list: apiCommand({
      brief: "All computers, or those of a group",
      flags: { group: { brief: "In this group and in those in it", placeholder: "GROUP" } },
      run: async ({ client, flags: { group } }) => {
        const computers = await client.call("listComputers", { query: group === undefined ? {} : { group } });
        return { json: computers, text: formatComputers(computers) };
      },
    }),
    show: apiCommand<[string]>({
      brief: "One computer",
      arguments: ["COMPUTER"],
      run: async ({ client, args: [id] }) => {
        const computer = await client.call("showComputer", { id });
        const software = await client.call("showComputerSoftware", { id });
        return { json: computer, text: `${formatComputer(computer)}\n${formatSoftware(software)}` };
      },
    }),
    software: apiCommand<[string]>({
      brief: "Packages and users of a computer, as its agent last told",
      arguments: ["COMPUTER"],
      run: async ({ client, args: [id] }) => {
        const software = await client.call("showComputerSoftware", { id });
        const rows = software.packages.map(({ name, version }) => [printable(name), printable(version)]);
        const table = rows.length === 0 ? "" : `\n${formatTable(["package", "version"], rows)}`;
        return { json: software, text: `${formatSoftware(software)}${table}` };
      },
    }),
    approve: apiCommand({
      brief: "Let pending computers in",
      list: "COMPUTER",
      run: async ({ client, list }) => {
        const computers: ComputerResource[] = [];
        for (const id of list) {
          computers.push(await client.call("approveComputer", { id }));
        }
        return { json: computers, text: formatComputers(computers) };
      },
    }),
    move: apiCommand<[string]>({
      brief: "Put computers into a group; / takes them out of every group",
      arguments: ["GROUP"],
      list: "COMPUTER",
      run: async ({ client, args: [group], list }) => {
        const body = { computers: [...list], group: readGroupWord(group) };
        const computers = await client.call("moveComputers", { body });
        return { json: computers, text: formatComputers(computers) };
      },
    }),
    wake: apiCommand<[string]>({
      brief: "Wake it by magic packets, again and again until it is seen",
      arguments: ["COMPUTER"],
      flags: {
        secureOn: { brief: "SecureOn password, 4 or 6 bytes in hex", placeholder: "HEX" },
        directed: { brief: "on: also to the broadcast address of its segment", placeholder: "on|off" },
      },
      run: async ({ client, args: [id], flags: { secureOn, directed } }) => {
        const body = {
          ...(secureOn === undefined ? {} : { secureOn }),
          directedBroadcast: directed === "on",
        };
        const sent = await client.call("wakeComputer", { id, body });
        const peers = sent.peers.length === 0 ? "" : `; asked ${sent.peers.join(", ")} to send one too`;
        return {
          json: sent,
          text: `sent ${sent.sent} magic packets on ${sent.interfaces.join(", ")}${peers}`,
        };
      },
    }),
    install: installCommand,
    buildAgent: buildAgentCommand,
    agentPackage: agentPackageCommand,
    pullCommand,
    pending: pendingCommand,
    revoke: revokeCommand,
    token: enrolmentTokenCommand,
    tokens: enrolmentTokensCommand,
    removeToken: removeTokenCommand,
    window: enrolmentWindowCommand,
    settings: computerSettingsCommand,
    history: computerHistoryCommand,
    terminal: computerTerminalCommand,
    desktop: computerDesktopCommand,
    files: computerFilesCommand,
    sessions: remoteSessionsCommand,
    endSession: endSessionCommand,
    recordings: recordingsCommand,
    forget: apiCommand<[string]>({
      brief: "Remove a computer's record and its right to connect",
      arguments: ["COMPUTER"],
      run: async ({ client, args: [id] }) => {
        const answer = await client.call("forgetComputer", { id });
        return { json: answer, text: `${printable(id)} is forgotten` };
      },
    }),
    events: apiCommand<[string]>({
      brief: "Its boot events, newest first",
      arguments: ["COMPUTER"],
      run: async ({ client, args: [id] }) => {
        const events = await client.call("listComputerEvents", { id });
        return { json: events, text: formatBootEvents(events) };
      },
    }),
  },
});
