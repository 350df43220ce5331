import type { WebSocket } from "ws";
import {
  desktopPath,
  filesPath,
  type RemoteNewsMessage,
  remoteOrderSchema,
  terminalPath,
} from "#api/remote-api.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import type { RemoteKind } from "#wire/control/management-messages.ts";
import { decodeRemoteOrder, type RemoteNews } from "#wire/control/remote-messages.ts";
import type { ComputerRegistry } from "../computer-registry.ts";
import type { UpgradeContext, UpgradeRoute } from "../live/upgrade-gate.ts";
import type { RemoteService } from "../services/remote-service.ts";
import type { RemoteSession, RemoteViewer } from "./remote-session.ts";

const closeDelayMs = 2000;

export type RemoteWindowDependencies = {
  readonly remote: RemoteService;
  readonly registry: ComputerRegistry;
};

/** The WebSockets through which operators see terminals and files. */
export function remoteWindows(dependencies: RemoteWindowDependencies): UpgradeRoute[] {
  const route = (kind: RemoteKind, path: string): UpgradeRoute => ({
    path,
    access: "operator",
    scope: "computer",
    auditedAs: `open-${kind}`,
    connect: (socket, context) => {
      openWindow(dependencies, { kind, socket, context }).catch((error: unknown) =>
        close(socket, error instanceof Error ? error.message : String(error)),
      );
    },
  });
  return [route("terminal", terminalPath), route("files", filesPath), route("desktop", desktopPath)];
}

function tell(socket: WebSocket, news: RemoteNewsMessage | RemoteNews): void {
  if (socket.readyState === socket.OPEN) {
    socket.send(JSON.stringify(news));
  }
}

function close(socket: WebSocket, reason: string): void {
  tell(socket, { type: "closed", reason });
  socket.close(1000);
  setTimeout(() => socket.terminate(), closeDelayMs).unref();
}

function side(text: string | null, fallback: number): number {
  const value = Number(text ?? fallback);
  return Number.isInteger(value) && value >= 1 && value <= 1000 ? value : fallback;
}

async function openWindow(
  { remote, registry }: RemoteWindowDependencies,
  given: { readonly kind: RemoteKind; readonly socket: WebSocket; readonly context: UpgradeContext },
): Promise<void> {
  const { kind, socket, context } = given;
  const { query, principal, scope } = context;
  // Nothing is read before there is somebody to give it to.
  socket.pause();
  const computer = registry.require(context.id);
  scope().requireComputers([computer.id]);
  const wanted = query.get("session");
  if (wanted !== null && kind === "desktop") {
    close(socket, "each viewer of a desktop has a session of its own; open one without a session's id");
    return;
  }
  const session =
    wanted === null
      ? await remote.open({
          computerId: computer.id,
          kind,
          operator: principal.name,
          columns: side(query.get("columns"), 80),
          rows: side(query.get("rows"), 24),
          isViewOnly: kind === "desktop" && query.get("view") === "1",
        })
      : remote.find(wanted);
  if (session === null || session.facts.computerId !== computer.id || session.facts.kind !== kind) {
    close(socket, `there is no ${kind} session ${wanted} of this computer`);
    return;
  }
  show(session, socket, { computerName: computer.name, canType: query.get("view") !== "1" });
}

/** Joins a WebSocket and a session until one of both ends. */
function show(
  session: RemoteSession,
  socket: WebSocket,
  given: { readonly computerName: string; readonly canType: boolean },
): void {
  const { computerName, canType } = given;
  const { id: sessionId, port, kind } = session.facts;
  // RFB needs both directions: there the computer itself takes nothing from who only looks on.
  const isTaken = canType || kind === "desktop";
  tell(socket, { type: "opened", sessionId, computerName, port, isRecorded: session.isRecorded, canType });
  const viewer: RemoteViewer = {
    bytes: (bytes) => {
      if (socket.readyState === socket.OPEN) {
        socket.send(bytes, { binary: true });
      }
    },
    news: (news) => tell(socket, news),
    ended: (reason) => close(socket, reason),
    waitingBytes: () => socket.bufferedAmount,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  };
  if (!session.attach(viewer)) {
    close(socket, "this session has ended, or as many as may be are looking at it already");
    return;
  }
  socket.once("close", () => session.detach(viewer));
  socket.on("message", (data, isBinary) => {
    if (!isTaken) {
      return;
    }
    const bytes = data as Buffer;
    if (isBinary) {
      session.input(bytes, viewer);
      return;
    }
    try {
      const parsed = remoteOrderSchema.parse(JSON.parse(bytes.toString("utf8")));
      session.order(decodeRemoteOrder(parsed));
    } catch (error) {
      if (!(error instanceof WireError || error instanceof SyntaxError || error instanceof Error)) {
        throw error;
      }
      tell(socket, { type: "error", reason: "this is no order of remote control" });
    }
  });
  socket.resume();
}
