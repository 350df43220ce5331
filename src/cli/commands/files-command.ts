import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { buildRouteMap } from "@stricli/core";
import { filesPath, type RemoteNewsMessage } from "#api/remote-api.ts";
import { ApiClientError, type ApiClient } from "../api-client.ts";
import { apiCommand } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes, formatTime } from "../format-units.ts";
import { printable } from "../printable-text.ts";
import { RemoteClient } from "../remote-client.ts";

const pieceSizeBytes = 256 << 10;

/** Opens a file session, does one thing in it, and closes it. */
async function withFiles<Result>(
  client: ApiClient,
  id: string,
  work: (session: RemoteClient) => Promise<Result>,
): Promise<Result> {
  const session = new RemoteClient(client, filesPath.replace(":id", encodeURIComponent(id)));
  try {
    await session.news();
    return await work(session);
  } finally {
    session.close();
  }
}

function expect<Type extends RemoteNewsMessage["type"]>(
  news: RemoteNewsMessage,
  type: Type,
): Extract<RemoteNewsMessage, { type: Type }> {
  if (news.type !== type) {
    throw new ApiClientError("remote-failed", `the computer answered ${news.type} instead of ${type}`);
  }
  // The comparison of a type parameter does not narrow a union.
  return news as Extract<RemoteNewsMessage, { type: Type }>;
}

/** The file is there whole, as it was sent, or not at all. */
async function download(session: RemoteClient, from: string, to: string): Promise<number> {
  session.order({ type: "get", path: from });
  const { sizeBytes } = expect(await session.news(), "content");
  const temporary = `${to}.portolan-${process.pid}`;
  const handle = await open(temporary, "w", 0o600);
  const hash = createHash("sha256");
  let doneBytes = 0;
  try {
    for (;;) {
      const event = await session.next();
      if (event?.type === "bytes") {
        hash.update(event.bytes);
        doneBytes += event.bytes.byteLength;
        await handle.write(event.bytes);
        continue;
      }
      if (event?.type === "news" && event.news.type === "end") {
        if (doneBytes !== sizeBytes || event.news.sha256 !== hash.digest("hex")) {
          throw new ApiClientError("remote-failed", `${from}: what arrived is not what was sent`);
        }
        break;
      }
      const reason = event?.type === "news" && "reason" in event.news ? event.news.reason : "the line broke";
      throw new ApiClientError("remote-failed", `${from}: ${reason}`);
    }
    await handle.close();
    await rename(temporary, to);
    return doneBytes;
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

async function upload(session: RemoteClient, from: string, to: string): Promise<number> {
  const { size } = await stat(from);
  session.order({ type: "put", path: to, sizeBytes: size });
  const hash = createHash("sha256");
  for await (const piece of createReadStream(from, { highWaterMark: pieceSizeBytes })) {
    const bytes = piece as Buffer;
    hash.update(bytes);
    await session.bytes(bytes);
  }
  session.order({ type: "end", sha256: hash.digest("hex") });
  return expect(await session.news(), "stored").sizeBytes;
}

export const computerFilesCommand = buildRouteMap({
  docs: { brief: "List, fetch and put files of a computer" },
  routes: {
    list: apiCommand<[string, string]>({
      brief: "What is in a folder of the computer",
      arguments: ["COMPUTER", "PATH"],
      run: ({ client, args: [id, path] }) =>
        withFiles(client, id, async (session) => {
          session.order({ type: "list", path });
          const { entries } = expect(await session.news(), "entries");
          const rows = entries.map((entry) => [
            entry.mode.toString(8).padStart(4, "0"),
            entry.kind,
            formatBytes(entry.sizeBytes),
            formatTime(entry.modifiedAtMs),
            printable(entry.name),
          ]);
          return { json: entries, text: formatTable(["mode", "kind", "size", "changed", "name"], rows) };
        }),
    }),
    get: apiCommand<[string, string, string]>({
      brief: "Fetch a file from the computer",
      arguments: ["COMPUTER", "PATH", "LOCAL"],
      run: ({ client, args: [id, path, local] }) =>
        withFiles(client, id, async (session) => {
          const sizeBytes = await download(session, path, local);
          return { json: { path, local, sizeBytes }, text: `${local}: ${formatBytes(sizeBytes)}` };
        }),
    }),
    put: apiCommand<[string, string, string]>({
      brief: "Put a file onto the computer",
      arguments: ["COMPUTER", "LOCAL", "PATH"],
      run: ({ client, args: [id, local, path] }) =>
        withFiles(client, id, async (session) => {
          const sizeBytes = await upload(session, local, path);
          return { json: { path, local, sizeBytes }, text: `${printable(path)}: ${formatBytes(sizeBytes)}` };
        }),
    }),
  },
});
