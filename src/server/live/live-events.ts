import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { WebSocket } from "ws";
import type { ComputerResource } from "#api/computer-api.ts";
import type { JobResource } from "#api/job-api.ts";
import { type LiveEvent, livePath } from "#api/live-api.ts";
import type { SessionResource } from "#api/session-api.ts";
import type { Clock } from "#platform/clock.ts";
import type { SiteChanges } from "./site-changes.ts";
import type { UpgradeContext, UpgradeRoute } from "./upgrade-gate.ts";

/** The site as the API shows it; `null` for what is gone. */
export type LiveSource = {
  readonly computer: (id: string) => Promise<ComputerResource | null>;
  readonly job: (id: string) => Promise<JobResource | null>;
  readonly sessions: () => Promise<readonly SessionResource[]>;
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

/** Changes gather this long: a screen shows four pictures a second, not a thousand. */
const gatherDelayMs = 250;
const sessionDelayMs = 500;
/** For those who come back after a short absence. */
const keptCountMax = 2000;
const waitingBytesMax = 2 << 20;
const silenceDelayMs = 30_000;

/**
 * Tells every connected console what changed. Each event is written to a socket at once or not at all: who reads too
 * slowly is told so and cut off, and reads everything again when it comes back.
 */
export class LiveEvents {
  readonly #dependencies: LiveEventsDependencies;
  readonly #epoch = randomBytes(6).toString("hex");
  /** BOUNDED by the gate's count of sockets. */
  readonly #sockets = new Set<WebSocket>();
  /** The latest events as text, in order. BOUNDED by `keptCountMax`. */
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
      auditedAs: null,
      connect: (socket, context) => this.#connect(socket, context),
    };
  }

  stop(): void {
    this.#cancel();
    this.#cancelSessions();
  }

  #connect(socket: WebSocket, { query }: UpgradeContext): void {
    const after = Number(query.get("after") ?? Number.NaN);
    const oldest = this.#kept[0]?.sequence ?? this.#sequence + 1;
    const isResumed = query.get("epoch") === this.#epoch && after >= oldest - 1 && after <= this.#sequence;
    const hello: LiveEvent = { type: "hello", epoch: this.#epoch, sequence: this.#sequence, isResumed };
    this.#write(socket, JSON.stringify(hello));
    if (isResumed) {
      for (const { sequence, text } of this.#kept) {
        if (sequence > after) {
          this.#write(socket, text);
        }
      }
    }
    this.#sockets.add(socket);
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
        });
    });
  }

  async #flush(): Promise<void> {
    const { changes, source } = this.#dependencies;
    const { computerIds, runs, bootEvents, areas } = changes.take();
    for (const id of computerIds) {
      const computer = await source.computer(id);
      this.#publish(computer === null ? { type: "computer-removed", id } : { type: "computer", computer });
    }
    for (const [jobId, changed] of runs) {
      await this.#publishJob(jobId, changed);
    }
    for (const event of bootEvents) {
      this.#publish({ type: "boot-event", event });
    }
    for (const area of areas) {
      this.#publish({ type: "changed", area });
    }
  }

  async #publishJob(jobId: string, computerIds: ReadonlySet<string>): Promise<void> {
    const job = await this.#dependencies.source.job(jobId);
    if (job === null) {
      return;
    }
    if (!this.#knownJobs.has(jobId)) {
      this.#knownJobs.add(jobId);
      this.#publish({ type: "job", job });
      return;
    }
    const runs = job.runs.filter(({ computerId }) => computerIds.has(computerId));
    this.#publish({ type: "runs", jobId, state: job.state, runs });
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
    const next = new Map<number, string>();
    for (const session of await this.#dependencies.source.sessions()) {
      const text = JSON.stringify(session);
      next.set(session.id, text);
      if (this.#sessions.get(session.id) !== text) {
        this.#publish({ type: "session", session });
      }
    }
    this.#sessions = next;
  }

  #publish(event: Unnumbered): void {
    this.#sequence += 1;
    const text = JSON.stringify({ ...event, sequence: this.#sequence });
    this.#kept.push({ sequence: this.#sequence, text });
    if (this.#kept.length > keptCountMax) {
      this.#kept = this.#kept.slice(-keptCountMax / 2);
    }
    for (const socket of this.#sockets) {
      this.#write(socket, text);
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
