import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import { liveProofPrefix, liveProtocol } from "#api/live-api.ts";
import type { Role, RouteScope } from "#api/route.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { AuditLog } from "../accounts/audit-log.ts";
import { hasRole, nobody, type Principal } from "../accounts/principal.ts";
import type { Scope, Scopes } from "../accounts/scope.ts";
import { createProblem, formatRawProblem } from "../problem.ts";

export type UpgradeContext = {
  readonly principal: Principal;
  /** What its caller may see, as it is now: groups change while a socket is open. */
  readonly scope: () => Scope;
  /** The `:id` of the path, decoded; empty when it has none. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly address: string;
};

/** One kind of WebSocket: live events, a remote terminal. The socket is handed over when its caller is known. */
export type UpgradeRoute = {
  /** From the root; `:id` marks a parameter. */
  readonly path: string;
  readonly access: Role;
  readonly scope: RouteScope;
  /** Written to the audit log as what was opened; `null` for what everybody does all day. */
  readonly auditedAs: string | null;
  readonly connect: (socket: WebSocket, context: UpgradeContext) => void;
};

const messageSizeBytesMax = 1 << 20;
/** A session may end, an account may be removed: who is connected is looked at again this often. */
const recheckDelayMs = 15_000;
const socketCountMax = 2000;

type Wanted = { readonly route: UpgradeRoute; readonly id: string };
type Refusal = { readonly status: 400 | 401 | 403 | 404 | 503; readonly why: string };

/** The only way in for WebSockets: own origin, known caller, enough of a role; otherwise refused and written down. */
export class UpgradeGate {
  readonly #routes: UpgradeRoute[] = [];
  readonly #accounts: Accounts;
  readonly #audit: AuditLog;
  readonly #scopes: Scopes;
  readonly #log: Logger;
  /** BOUNDED by `socketCountMax`. */
  readonly #sockets = new Set<WebSocket>();
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageSizeBytesMax,
    handleProtocols: () => liveProtocol,
  });

  constructor(dependencies: {
    readonly accounts: Accounts;
    readonly audit: AuditLog;
    readonly scopes: Scopes;
    readonly log: Logger;
  }) {
    this.#scopes = dependencies.scopes;
    this.#accounts = dependencies.accounts;
    this.#audit = dependencies.audit;
    this.#log = dependencies.log;
  }

  add(route: UpgradeRoute): void {
    this.#routes.push(route);
  }

  /** Takes the upgrades of one HTTP server. */
  attach(server: Server): void {
    server.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      this.#admit(request, socket, head).catch((error: unknown) => {
        this.#log.error({ err: error }, "a WebSocket could not be opened");
        socket.destroy();
      });
    });
  }

  closeAll(): void {
    for (const socket of this.#sockets) {
      socket.close(1001, "the server stops");
    }
  }

  async #admit(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = new URL(request.url ?? "/", "https://server.invalid");
    const address = request.socket.remoteAddress ?? "";
    const found = this.#find(url.pathname);
    const outcome: Principal | Refusal =
      found === null
        ? { status: 404, why: "there is no such WebSocket" }
        : await this.#judge(request, found, address);
    if ("status" in outcome || found === null) {
      refuse(socket, "status" in outcome ? outcome : { status: 404, why: "" });
      return;
    }
    const { route, id } = found;
    if (route.auditedAs !== null) {
      await this.#audit.record({
        principal: outcome,
        action: route.auditedAs,
        target: this.#scopes.targetOf(route.scope, id),
        outcome: "done",
        address,
      });
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      this.#hold(opened, request, { route, id, principal: outcome });
      const scope = (): Scope => this.#scopes.of(outcome);
      route.connect(opened, { principal: outcome, scope, id, query: url.searchParams, address });
    });
  }

  #find(pathname: string): Wanted | null {
    for (const route of this.#routes) {
      const pattern = new RegExp(`^${route.path.replace(":id", "([^/]{1,256})")}$`);
      const match = pattern.exec(pathname);
      if (match !== null) {
        return { route, id: decodeURIComponent(match[1] ?? "") };
      }
    }
    return null;
  }

  async #judge(
    request: IncomingMessage,
    { route, id }: Wanted,
    address: string,
  ): Promise<Principal | Refusal> {
    const { origin, host, cookie } = request.headers;
    const isForeign = origin === undefined ? cookie !== undefined : origin !== `https://${host}`;
    if (isForeign) {
      await this.#refusal(nobody, "foreign-origin", `${route.path} from ${origin ?? "no origin"}`, address);
      return { status: 403, why: "this page may not connect to this server" };
    }
    if (this.#sockets.size >= socketCountMax) {
      return { status: 503, why: `${socketCountMax} WebSockets are open already` };
    }
    const answer = await this.#accounts.authenticate(request.headers, readProof(request));
    if (answer.type === "refused") {
      await this.#refusal({ ...nobody, name: answer.actor }, answer.action, answer.detail, address);
    }
    if (answer.type !== "known") {
      return { status: 401, why: "log in first" };
    }
    if (!hasRole(answer.principal, route.access)) {
      await this.#refusal(answer.principal, route.auditedAs ?? route.path, `needs ${route.access}`, address);
      return { status: 403, why: `this needs the role ${route.access}` };
    }
    const why = this.#whyOutside(answer.principal, route, id);
    if (why !== null) {
      await this.#refusal(answer.principal, route.auditedAs ?? route.path, `${why}: ${id}`, address);
      return { status: 403, why };
    }
    return answer.principal;
  }

  #whyOutside(principal: Principal, route: UpgradeRoute, id: string): string | null {
    try {
      this.#scopes.requireOpen(this.#scopes.of(principal), route.scope, id);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #refusal(principal: Principal, action: string, detail: string, address: string): Promise<void> {
    return this.#audit.recordRefusal({ principal, action, detail: detail.slice(0, 500), address });
  }

  /** Keeps it while its caller may be here, and no longer. */
  #hold(
    socket: WebSocket,
    request: IncomingMessage,
    { route, id, principal }: Wanted & { readonly principal: Principal },
  ): void {
    this.#sockets.add(socket);
    const timer = setInterval(() => {
      this.#accounts.authenticate(request.headers, readProof(request)).then(
        (answer) => {
          if (answer.type !== "known" || !hasRole(answer.principal, route.access)) {
            socket.close(1008, "the session has ended");
          } else if (
            JSON.stringify(answer.principal.limits) !== JSON.stringify(principal.limits) ||
            this.#whyOutside(answer.principal, route, id) !== null
          ) {
            socket.close(1008, "your groups of computers have changed");
          }
        },
        (error: unknown) => this.#log.warn({ err: error }, "a WebSocket's caller could not be looked up"),
      );
    }, recheckDelayMs);
    socket.once("close", () => {
      clearInterval(timer);
      this.#sockets.delete(socket);
    });
    socket.on("error", () => socket.terminate());
  }
}

/** Browsers can set no header on a WebSocket; the proof comes as one of the protocols it offers. */
function readProof(request: IncomingMessage): string | undefined {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((word) => word.trim());
  return offered.find((word) => word.startsWith(liveProofPrefix))?.slice(liveProofPrefix.length);
}

function refuse(socket: Duplex, { status, why }: Refusal): void {
  socket.end(formatRawProblem(createProblem(status, "refused", why)));
}
