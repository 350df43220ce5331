import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { WebSocket } from "ws";
import type { ComputerResource } from "#api/computer-api.ts";
import type { JobResource } from "#api/job-api.ts";
import { type LiveEvent, livePath } from "#api/live-api.ts";
import type { SessionResource } from "#api/session-api.ts";
import type { Clock } from "#platform/clock.ts";
import type { Scope } from "../accounts/scope.ts";
import type { SiteChanges } from "./site-changes.ts";
import type { UpgradeContext, UpgradeRoute } from "./upgrade-gate.ts";

/** The site as the API shows it to a scope; `null` for what is gone or outside. */
export type LiveSource = {
  readonly wholeSite: Scope;
  readonly computer: (id: string, scope: Scope) => Promise<ComputerResource | null>;
  readonly job: (id: string, scope: Scope) => Promise<JobResource | null>;
  readonly sessions: (scope: Scope) => Promise<readonly SessionResource[]>;
};

export type LiveEventsDependencies = {
  readonly changes: SiteChanges;
  readonly source: LiveSource;
  readonly clock: Clock;
  readonly log: Logger;
};

type Unnumbered = LiveEvent extends infer Event
  ? Event extends { readonly type: "hello" }
    ? never
    : Omit<Event, "sequence">
  : never;

/** An event as it is for a scope; `null`: it is not for it. */
type Show = (scope: Scope) => Promise<Unnumbered | null>;

/** Changes gather this long: a screen shows four pictures a second, not a thousand. */
const gatherDelayMs = 250;
const sessionDelayMs = 500;
/** For those who come back after a short absence. */
const keptCountMax = 2000;
const waitingBytesMax = 2 << 20;
const silenceDelayMs = 30_000;

/**
 * Tells every connected console what changed. Each event is written to a socket at once or not at all: who reads too
 * slowly is told so and cut off, and reads everything again when it comes back. Who is limited to groups is told what is
 * inside, and reads everything again when groups change or it comes back: what it may see may be another by then.
 */
export class LiveEvents {
  readonly #dependencies: LiveEventsDependencies;
  readonly #epoch = randomBytes(6).toString("hex");
  /** BOUNDED by the gate's count of sockets. */
  readonly #sockets = new Map<WebSocket, () => Scope>();
  /** The latest events of the whole site as text, in order. BOUNDED by `keptCountMax`. */
  #kept: { readonly sequence: number; readonly text: string }[] = [];
  #sequence = 0;
  /** Job ids that were told of whole. BOUNDED by the jobs of the site. */
  readonly #knownJobs = new Set<string>();
  /** Last state told, as text, by session id. BOUNDED by the sessions the server lists. */
  #sessions = new Map<number, string>();
  #isScheduled = false;
  #cancel: () => void = () => undefined;
  #cancelSessions: () => void = () => undefined;
  /** Keyed by reason. BOUNDED by the reasons below. */
  readonly counters = new Map<string, number>();

  constructor(dependencies: LiveEventsDependencies) {
    this.#dependencies = dependencies;
    dependencies.changes.watch(() => this.#schedule());
  }

  get route(): UpgradeRoute {
    return {
      path: livePath,
      access: "viewer",
      scope: "filtered",
      auditedAs: null,
      connect: (socket, context) => this.#connect(socket, context),
    };
  }

  stop(): void {
    this.#cancel();
    this.#cancelSessions();
  }

  #connect(socket: WebSocket, { query, scope }: UpgradeContext): void {
    const after = Number(query.get("after") ?? Number.NaN);
    const oldest = this.#kept[0]?.sequence ?? this.#sequence + 1;
    const isKept = query.get("epoch") === this.#epoch && after >= oldest - 1 && after <= this.#sequence;
    const isResumed = isKept && scope().groupIds === null;
    this.#greet(socket, isResumed);
    if (isResumed) {
      for (const { sequence, text } of this.#kept) {
        if (sequence > after) {
          this.#write(socket, text);
        }
      }
    }
    this.#sockets.set(socket, scope);
    const cancelPing = this.#pingLater(socket);
    socket.once("close", () => {
      cancelPing();
      this.#sockets.delete(socket);
    });
    // Nothing is expected from a console here; what it says anyway is not kept.
    socket.on("message", () => this.#count("unexpected-message"));
    if (this.#sockets.size === 1) {
      this.#watchSessions();
    }
  }

  #greet(socket: WebSocket, isResumed: boolean): void {
    const hello: LiveEvent = { type: "hello", epoch: this.#epoch, sequence: this.#sequence, isResumed };
    this.#write(socket, JSON.stringify(hello));
  }

  #limited(): [WebSocket, Scope][] {
    return [...this.#sockets]
      .map(([socket, scope]): [WebSocket, Scope] => [socket, scope()])
      .filter(([, { groupIds }]) => groupIds !== null);
  }

  /** Ends a socket whose other end has gone without a word. */
  #pingLater(socket: WebSocket): () => void {
    let isAlive = true;
    socket.on("pong", () => {
      isAlive = true;
    });
    const timer = setInterval(() => {
      if (!isAlive) {
        this.#count("silent");
        socket.terminate();
        return;
      }
      isAlive = false;
      socket.ping();
    }, silenceDelayMs);
    return () => clearInterval(timer);
  }

  #schedule(): void {
    if (this.#isScheduled) {
      return;
    }
    this.#isScheduled = true;
    this.#cancel = this.#dependencies.clock.after(gatherDelayMs, () => {
      this.#flush()
        .catch((error: unknown) => this.#dependencies.log.error({ err: error }, "live events"))
        .finally(() => {
          this.#isScheduled = false;
          // What changed while the others were told of waits for nobody else to change.
          if (!this.#dependencies.changes.isEmpty) {
            this.#schedule();
          }
        });
    });
  }

  async #flush(): Promise<void> {
    const { changes, source } = this.#dependencies;
    const { computerIds, runs, bootEvents, areas } = changes.take();
    if (areas.has("groups")) {
      this.#limited().forEach(([socket]) => this.#greet(socket, false));
    }
    for (const id of computerIds) {
      await this.#publish(async (scope) => {
        const computer = await source.computer(id, scope);
        if (computer === null) {
          return scope.hasComputer(id) ? { type: "computer-removed", id } : null;
        }
        return { type: "computer", computer };
      });
    }
    for (const [jobId, changed] of runs) {
      await this.#publishJob(jobId, changed);
    }
    for (const event of bootEvents) {
      await this.#publish(async (scope) =>
        scope.hasComputer(event.computerId) ? { type: "boot-event", event } : null,
      );
    }
    for (const area of areas) {
      await this.#publish(async () => ({ type: "changed", area }));
    }
  }

  /** Of a job that was told of whole, only what changed; to who is limited it may be new at any time. */
  async #publishJob(jobId: string, computerIds: ReadonlySet<string>): Promise<void> {
    const { source } = this.#dependencies;
    const isKnown = this.#knownJobs.has(jobId);
    this.#knownJobs.add(jobId);
    await this.#publish(async (scope) => {
      const job = await source.job(jobId, scope);
      const runs = job?.runs.filter(({ computerId }) => computerIds.has(computerId)) ?? [];
      if (job === null || (scope.groupIds !== null && runs.length === 0)) {
        return null;
      }
      return isKnown && scope.groupIds === null
        ? { type: "runs", jobId, state: job.state, runs }
        : { type: "job", job };
    });
  }

  /** Rates and counts of a session change all the time; they are looked at while somebody watches. */
  #watchSessions(): void {
    this.#cancelSessions = this.#dependencies.clock.after(sessionDelayMs, () => {
      this.#publishSessions()
        .catch((error: unknown) => this.#dependencies.log.error({ err: error }, "live sessions"))
        .finally(() => {
          if (this.#sockets.size > 0) {
            this.#watchSessions();
          }
        });
    });
  }

  async #publishSessions(): Promise<void> {
    const { source } = this.#dependencies;
    const next = new Map<number, string>();
    for (const session of await source.sessions(source.wholeSite)) {
      const { id } = session;
      const text = JSON.stringify(session);
      next.set(id, text);
      if (this.#sessions.get(id) !== text) {
        await this.#publish(async (scope) => {
          const shown = scope.groupIds === null ? [session] : await source.sessions(scope);
          const found = shown.find((other) => other.id === id);
          return found === undefined ? null : { type: "session", session: found };
        });
      }
    }
    this.#sessions = next;
  }

  /** To the whole site first and at once; then to each who sees less. */
  async #publish(show: Show): Promise<void> {
    const event = await show(this.#dependencies.source.wholeSite);
    if (event === null) {
      return;
    }
    this.#sequence += 1;
    const sequence = this.#sequence;
    const text = JSON.stringify({ ...event, sequence });
    this.#kept.push({ sequence, text });
    if (this.#kept.length > keptCountMax) {
      this.#kept = this.#kept.slice(-keptCountMax / 2);
    }
    const limited = this.#limited();
    const lesser = new Set(limited.map(([socket]) => socket));
    for (const socket of this.#sockets.keys()) {
      if (!lesser.has(socket)) {
        this.#write(socket, text);
      }
    }
    for (const [socket, scope] of limited) {
      const own = await show(scope);
      if (own !== null) {
        this.#write(socket, JSON.stringify({ ...own, sequence }));
      }
    }
  }

  #write(socket: WebSocket, text: string): void {
    if (socket.readyState !== WebSocket.OPEN) {
      return;
    }
    if (socket.bufferedAmount > waitingBytesMax) {
      this.#count("slow-consumer");
      this.#sockets.delete(socket);
      socket.close(1013, "this console reads too slowly; connect again");
      setTimeout(() => socket.terminate(), 5000).unref();
      return;
    }
    socket.send(text);
  }

  #count(reason: string): void {
    this.counters.set(reason, (this.counters.get(reason) ?? 0) + 1);
  }
}
