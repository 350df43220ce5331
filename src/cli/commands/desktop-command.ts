import { createServer, type Socket } from "node:net";
import { desktopPath } from "#api/remote-api.ts";
import type { ApiClient } from "../api-client.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { RemoteClient } from "../remote-client.ts";

const viewerAddress = "127.0.0.1";
/** Viewers at once. */
const viewerCountMax = 4;

/** One viewer and one session of the computer, until one of both ends. */
async function relay(viewer: Socket, session: RemoteClient, say: (text: string) => void): Promise<void> {
  viewer.on("error", () => viewer.destroy());
  viewer.once("close", () => session.close());
  viewer.pause();
  const opened = await session.news();
  if (opened.type === "opened") {
    say(`session ${opened.sessionId}, TCP port ${opened.port}${opened.canType ? "" : ", looking on only"}`);
  }
  viewer.on("data", (bytes: Buffer) => {
    viewer.pause();
    session.bytes(bytes).then(
      () => viewer.resume(),
      () => viewer.destroy(),
    );
  });
  viewer.resume();
  for (let event = await session.next(); event !== null; event = await session.next()) {
    if (event.type === "news") {
      if (event.news.type === "closed" || event.news.type === "error") {
        say(event.news.reason);
      }
    } else if (!viewer.write(event.bytes) && !viewer.destroyed) {
      await new Promise((resolve) => {
        viewer.once("drain", resolve);
        viewer.once("close", resolve);
      });
    }
  }
}

/** Takes viewers of this machine alone, each with a session of its own, until Ctrl-C. */
function serveViewers(
  given: { readonly client: ApiClient; readonly path: string; readonly port: number },
  say: (text: string) => void,
): Promise<void> {
  /** BOUNDED by `viewerCountMax`. */
  const viewers = new Set<Socket>();
  const server = createServer((viewer) => {
    viewers.add(viewer);
    const session = new RemoteClient(given.client, given.path);
    relay(viewer, session, say)
      .catch((error: unknown) => say(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        viewers.delete(viewer);
        session.close();
        viewer.end();
      });
  });
  server.maxConnections = viewerCountMax;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: viewerAddress, port: given.port, exclusive: true }, () => {
      const bound = server.address();
      const port = bound !== null && typeof bound === "object" ? bound.port : given.port;
      say(`open vnc://${viewerAddress}:${port} with a VNC viewer on this machine; Ctrl-C ends it`);
    });
    process.once("SIGINT", () => {
      server.close(() => resolve());
      viewers.forEach((viewer) => viewer.destroy());
    });
  });
}

export const computerDesktopCommand = apiCommand<[string]>({
  brief: "Show the desktop of a computer to a VNC viewer on this machine",
  arguments: ["COMPUTER"],
  flags: {
    port: { brief: "Local port for the viewer (any)", placeholder: "N" },
    view: { brief: "on: look on only", placeholder: "on|off" },
  },
  run: async ({ client, args: [id], flags: { port = "0", view } }) => {
    const number = Number(port);
    if (!Number.isInteger(number) || number < 0 || number > 65_535) {
      throw new UsageError(`--port ${port} is no port`);
    }
    const say = (text: string): void => void process.stderr.write(`portolan: ${text}\n`);
    const path = `${desktopPath.replace(":id", encodeURIComponent(id))}${view === "on" ? "?view=1" : ""}`;
    await serveViewers({ client, path, port: number }, say);
    return { json: { ended: true }, text: "" };
  },
});
