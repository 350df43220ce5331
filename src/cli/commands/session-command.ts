import { buildRouteMap } from "@stricli/core";
import type { SessionResource } from "#api/session-api.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes } from "../format-units.ts";

function formatSessions(sessions: readonly SessionResource[]): string {
  if (sessions.length === 0) {
    return "no imaging session has run since this server was started";
  }
  const rows = sessions.map((session) => [
    String(session.id),
    session.imageName,
    session.state === "fetching" && session.fetched !== null
      ? `fetching ${session.fetched.doneCount} of ${session.fetched.totalCount} chunks`
      : session.state,
    session.group === null ? "unicast" : `${session.group}:${session.port}`,
    `${session.joined}/${session.expected}`,
    formatBytes(session.sentBytes),
    session.copyBytes === 0 ? "" : `${(session.sentBytes / session.copyBytes).toFixed(2)} copies`,
    session.movedToUnicast.map((moved) => `${moved.computerId} (${moved.reason})`).join(", "),
  ]);
  return formatTable(["session", "image", "state", "group", "joined", "sent", "", "moved to unicast"], rows);
}

type Change = "pauseSession" | "resumeSession" | "cancelSession";

function changeCommand(route: Change, brief: string) {
  return apiCommand<[string]>({
    brief,
    arguments: ["SESSION"],
    run: async ({ client, args: [id] }) => {
      const session = await client.call(route, { id });
      return { json: session, text: formatSessions([session]) };
    },
  });
}

export const sessionCommand = buildRouteMap({
  docs: { brief: "Imaging sessions" },
  routes: {
    list: apiCommand({
      brief: "All sessions since the server was started",
      run: async ({ client }) => {
        const sessions = await client.call("listSessions");
        return { json: sessions, text: formatSessions(sessions) };
      },
    }),
    show: apiCommand<[string]>({
      brief: "One session",
      arguments: ["SESSION"],
      run: async ({ client, args: [id] }) => {
        const session = (await client.call("listSessions")).find((one) => String(one.id) === id);
        if (session === undefined) {
          throw new UsageError(`there is no session ${id}; portolan session list shows them`);
        }
        return { json: session, text: formatSessions([session]) };
      },
    }),
    pause: changeCommand("pauseSession", "Hold a session; its computers wait"),
    resume: changeCommand("resumeSession", "Go on with a paused session"),
    cancel: changeCommand(
      "cancelSession",
      "End a session; its task fails on computers that have not everything",
    ),
  },
});
