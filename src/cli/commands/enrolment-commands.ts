import type { EnrolmentTokenResource } from "#api/agent-api.ts";
import type { ComputerResource } from "#api/computer-api.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatTime } from "../format-units.ts";
import { printable } from "../printable-text.ts";
import { readDuration } from "../read-duration.ts";

function formatPending(computers: readonly ComputerResource[]): string {
  if (computers.length === 0) {
    return "nobody waits";
  }
  const rows = computers.map(({ id, name, state, macs, product, reason }) => [
    id,
    name,
    state,
    macs.join(" "),
    product ?? "",
    reason ?? "",
  ]);
  return formatTable(["id", "name", "state", "mac", "product", "why it waits"], rows);
}

export const pendingCommand = apiCommand({
  brief: "Computers that wait to be let in, and those in conflict, with the reasons",
  run: async ({ client }) => {
    const computers = await client.call("listComputers");
    const waiting = computers.filter(({ state }) => state !== "approved");
    return { json: waiting, text: formatPending(waiting) };
  },
});

export const revokeCommand = apiCommand<[string]>({
  brief: "Take its right to connect away until it is approved again",
  arguments: ["COMPUTER"],
  run: async ({ client, args: [id] }) => {
    const answer = await client.call("revokeComputer", { id });
    return { json: answer, text: `${printable(id)} is revoked; its certificates never count again` };
  },
});

function formatTokens(tokens: readonly EnrolmentTokenResource[]): string {
  if (tokens.length === 0) {
    return "no enrolment token";
  }
  const rows = tokens.map(({ id, name, usesLeft, expiresAt }) => [
    id,
    name,
    String(usesLeft),
    formatTime(expiresAt),
  ]);
  return formatTable(["id", "name", "uses left", "until"], rows);
}

export const enrolmentTokenCommand = apiCommand({
  brief: "A token that lets computers in without an approval; it is shown once",
  flags: {
    uses: { brief: "How many computers it lets in (1)", placeholder: "N" },
    valid: { brief: "For how long (24h)", placeholder: "TIME" },
    name: { brief: "What it is for", placeholder: "NAME" },
  },
  run: async ({ client, flags: { uses = "1", valid = "24h", name = "installer" } }) => {
    if (!/^[0-9]{1,5}$/.test(uses)) {
      throw new UsageError(`--uses ${uses} is no number`);
    }
    const body = { name, uses: Number(uses), validMs: readDuration(valid) };
    const token = await client.call("createEnrolmentToken", { body });
    return {
      json: token,
      text: `${token.token}\n${token.id}: for ${token.usesLeft} computers, until ${formatTime(token.expiresAt)}; it is not shown again`,
    };
  },
});

export const enrolmentTokensCommand = apiCommand({
  brief: "Enrolment tokens, without their text",
  run: async ({ client }) => {
    const tokens = await client.call("listEnrolmentTokens");
    return { json: tokens, text: formatTokens(tokens) };
  },
});

export const removeTokenCommand = apiCommand<[string]>({
  brief: "Make an enrolment token worthless",
  arguments: ["TOKEN-ID"],
  run: async ({ client, args: [id] }) => {
    const answer = await client.call("removeEnrolmentToken", { id });
    return { json: answer, text: `${printable(id)} is worthless` };
  },
});

export const enrolmentWindowCommand = apiCommand<[string]>({
  brief: "Let every unknown computer in for a time: 30m, off, or show",
  arguments: ["TIME|off|show"],
  run: async ({ client, args: [word] }) => {
    const answer =
      word === "show"
        ? await client.call("showEnrolmentWindow")
        : await client.call("openEnrolmentWindow", {
            body: { forMs: word === "off" ? 0 : readDuration(word) },
          });
    const text =
      answer.untilMs === null
        ? "the enrolment window is closed: unknown computers wait for approval"
        : `every unknown computer is let in until ${formatTime(answer.untilMs)}`;
    return { json: answer, text };
  },
});
