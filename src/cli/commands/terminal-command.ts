import { writeFileSync } from "node:fs";
import { terminalPath, type RecordingResource, type RemoteSessionResource } from "#api/remote-api.ts";
import { apiCommand } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes, formatTime } from "../format-units.ts";
import { RemoteClient } from "../remote-client.ts";

/** Ctrl-], as telnet has it: leaves the terminal, whatever runs in it. */
const leaveKey = 0x1d;
const endOfInput = 0x04;

function pathFor(id: string, query: Readonly<Record<string, string>>): string {
  const words = new URLSearchParams(query).toString();
  return `${terminalPath.replace(":id", encodeURIComponent(id))}?${words}`;
}

/** Joins this terminal and the session until one of both ends. */
async function converse(session: RemoteClient, say: (text: string) => void): Promise<number> {
  const { stdin, stdout } = process;
  const resize = (): void =>
    session.order({ type: "resize", columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 });
  stdout.on("resize", resize);
  stdin.on("data", (typed: Buffer) => {
    if (stdin.isTTY && typed.includes(leaveKey)) {
      session.close();
      return;
    }
    session.bytes(typed).catch(() => session.close());
  });
  stdin.once("end", () => void session.bytes(Buffer.from([endOfInput])).catch(() => session.close()));
  if (stdin.isTTY) {
    stdin.setRawMode(true);
  }
  let exitCode = 0;
  try {
    for (let event = await session.next(); event !== null; event = await session.next()) {
      if (event.type === "bytes") {
        stdout.write(event.bytes);
      } else if (event.news.type === "exited") {
        exitCode = event.news.exitCode ?? 1;
      } else if (event.news.type === "closed" || event.news.type === "error") {
        say(event.news.reason);
      }
    }
  } finally {
    if (stdin.isTTY) {
      stdin.setRawMode(false);
    }
    stdin.destroy();
  }
  return exitCode;
}

export const computerTerminalCommand = apiCommand<[string]>({
  brief: "A terminal on a computer; Ctrl-] leaves it",
  arguments: ["COMPUTER"],
  flags: {
    session: { brief: "Join this session instead of beginning one", placeholder: "ID" },
    view: { brief: "on: look on only", placeholder: "on|off" },
  },
  run: async ({ client, args: [id], flags: { session: joined, view }, stdout }) => {
    const say = (text: string): void => void process.stderr.write(`portolan: ${text}\n`);
    const session = new RemoteClient(
      client,
      pathFor(id, {
        columns: String(stdout.columns ?? 80),
        rows: String(stdout.rows ?? 24),
        ...(joined === undefined ? {} : { session: joined }),
        ...(view === "on" ? { view: "1" } : {}),
      }),
    );
    const opened = await session.news();
    if (opened.type === "opened") {
      const recorded = opened.isRecorded ? ", recorded" : "";
      say(`session ${opened.sessionId}, TCP port ${opened.port}${recorded}; Ctrl-] leaves it`);
    }
    const exitCode = await converse(session, say);
    return { json: { exitCode }, text: "", exitCode: exitCode === 0 ? 0 : 1 };
  },
});

function formatSessions(sessions: readonly RemoteSessionResource[]): string {
  if (sessions.length === 0) {
    return "nobody works on a computer";
  }
  const rows = sessions.map(({ id, computerName, kind, operator, port, viewerCount, startedAt }) => [
    id,
    computerName,
    kind,
    operator,
    String(port),
    String(viewerCount),
    formatTime(startedAt),
  ]);
  return formatTable(["session", "computer", "kind", "operator", "port", "viewers", "since"], rows);
}

export const remoteSessionsCommand = apiCommand({
  brief: "Terminals, file sessions and desktops that are open",
  run: async ({ client }) => {
    const sessions = await client.call("listRemoteSessions");
    return { json: sessions, text: formatSessions(sessions) };
  },
});

export const endSessionCommand = apiCommand<[string]>({
  brief: "End a remote session for everyone who is in it",
  arguments: ["SESSION"],
  run: async ({ client, args: [id] }) => {
    const answer = await client.call("endRemoteSession", { id });
    return { json: answer, text: `${id} is ended` };
  },
});

function formatRecordings(recordings: readonly RecordingResource[]): string {
  if (recordings.length === 0) {
    return "no recording";
  }
  const rows = recordings.map(({ id, computerId, operator, startedAt, sizeBytes }) => [
    id,
    formatTime(startedAt),
    computerId,
    operator,
    formatBytes(sizeBytes),
  ]);
  return formatTable(["recording", "begun", "computer", "operator", "size"], rows);
}

export const recordingsCommand = apiCommand({
  brief: "Recordings of terminals; with an id and a file: write one there, as asciicast",
  flags: {
    id: { brief: "This recording", placeholder: "ID" },
    out: { brief: "Write it to this file", placeholder: "FILE" },
  },
  run: async ({ client, flags: { id, out } }) => {
    if (id === undefined) {
      const recordings = await client.call("listRecordings");
      return { json: recordings, text: formatRecordings(recordings) };
    }
    const { asciicast } = await client.call("showRecording", { id });
    if (out !== undefined) {
      writeFileSync(out, asciicast, { mode: 0o600 });
      return { json: { id, out }, text: `${out} is written; asciinema play shows it` };
    }
    return { json: { id, asciicast }, text: asciicast };
  },
});
