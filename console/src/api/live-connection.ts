import type { QueryClient } from "@tanstack/react-query";
import { routes } from "virtual:routes";
import type { BootEventResource } from "#api/boot-api.ts";
import type { ComputerResource } from "#api/computer-api.ts";
import type { JobResource } from "#api/job-api.ts";
import type { LiveEvent } from "#api/live-api.ts";
import type { SessionResource } from "#api/session-api.ts";
import { readProof } from "./proof.ts";
import { recordSession } from "./session-history.ts";

export type LiveState = "connecting" | "live" | "away";

const applyDelayMs = 100;
const retryDelayMsMax = 10_000;
const bootEventCountMax = 500;

/** Routes about one computer whose answer may change whenever it does. */
const toldApart: ReadonlySet<string> = new Set([
  "showAgentSettings",
  "showComputerSoftware",
  "listComputerHistory",
]);

/** The items with this one in place of its predecessor, or at the end. */
function place<Item>(items: readonly Item[], item: Item, isSame: (other: Item) => boolean): Item[] {
  const index = items.findIndex(isSame);
  return index === -1 ? [...items, item] : items.with(index, item);
}

/** Keeps what the pages have read up to date, from the server's live events. One for each window. */
export class LiveConnection {
  readonly #client: QueryClient;
  readonly #onState: (state: LiveState) => void;
  #socket: WebSocket | null = null;
  /**
   * Applied together, so that a burst draws once, and after what is being read: an answer on its way may be older than
   * they are and would undo them. BOUNDED by what arrives within `applyDelayMs` and a read.
   */
  #waiting: LiveEvent[] = [];
  #timer: number | undefined;
  #epoch = "";
  #sequence = 0;
  #failures = 0;
  #isClosed = false;

  constructor(client: QueryClient, onState: (state: LiveState) => void) {
    this.#client = client;
    this.#onState = onState;
    this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    window.clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #connect(): void {
    const proof = readProof();
    if (this.#isClosed || proof === null) {
      return;
    }
    const resume = this.#epoch === "" ? "" : `?after=${this.#sequence}&epoch=${this.#epoch}`;
    const socket = new WebSocket(`wss://${location.host}/api/v1/events${resume}`, [
      "portolan.v1",
      `portolan.proof.${proof}`,
    ]);
    this.#socket = socket;
    this.#onState(this.#failures === 0 ? "connecting" : "away");
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(String(data)) as LiveEvent));
    socket.addEventListener("close", () => {
      if (this.#isClosed) {
        return;
      }
      this.#onState("away");
      this.#failures += 1;
      window.setTimeout(() => this.#connect(), Math.min(retryDelayMsMax, 500 * 2 ** this.#failures));
    });
  }

  #receive(event: LiveEvent): void {
    if (this.#isClosed) {
      return;
    }
    this.#sequence = event.sequence;
    if (event.type === "hello") {
      this.#epoch = event.epoch;
      this.#failures = 0;
      this.#onState("live");
      if (event.isResumed) {
        return;
      }
      // The first time as well: something may have changed after it was read and before this began to tell.
      this.#waiting = [];
    }
    this.#waiting.push(event);
    this.#applyLater();
  }

  #applyLater(): void {
    this.#timer ??= window.setTimeout(() => {
      this.#timer = undefined;
      this.#apply();
    }, applyDelayMs);
  }

  #apply(): void {
    if (this.#client.isFetching() > 0) {
      this.#applyLater();
      return;
    }
    const events = this.#waiting;
    this.#waiting = [];
    if (events[0]?.type === "hello") {
      void this.#client.invalidateQueries();
      this.#waiting = events.slice(1);
      if (this.#waiting.length > 0) {
        this.#applyLater();
      }
      return;
    }
    this.#applyComputers(events);
    for (const event of events) {
      switch (event.type) {
        case "job":
          this.#patch<JobResource[]>(["listJobs"], (jobs) =>
            place(jobs, event.job, ({ id }) => id === event.job.id),
          );
          this.#client.setQueryData(["showJob", event.job.id], event.job);
          break;
        case "runs":
          this.#applyRuns(event);
          break;
        case "session":
          recordSession(event.session);
          this.#patch<SessionResource[]>(["listSessions"], (sessions) =>
            place(sessions, event.session, ({ id }) => id === event.session.id),
          );
          break;
        case "boot-event":
          this.#applyBootEvent(event.event);
          break;
        case "changed":
          this.#invalidateArea(event.area);
          break;
        case "computer":
        case "computer-removed":
        case "hello":
          break;
      }
    }
  }

  /** All at once: the list may be ten thousand long. */
  #applyComputers(events: readonly LiveEvent[]): void {
    const changed = new Map<string, ComputerResource | null>();
    for (const event of events) {
      if (event.type === "computer") {
        changed.set(event.computer.id, event.computer);
        this.#client.setQueryData(["showComputer", event.computer.id], event.computer);
      } else if (event.type === "computer-removed") {
        changed.set(event.id, null);
      }
    }
    if (changed.size === 0) {
      return;
    }
    // What is open about one of them and not in the event itself.
    const ids = new Set(changed.keys());
    void this.#client.invalidateQueries({
      predicate: ({ queryKey: [name, id] }) => toldApart.has(String(name)) && ids.has(String(id)),
    });
    this.#patch<ComputerResource[]>(["listComputers"], (computers) => {
      const kept = computers.flatMap((computer) => {
        const now = changed.get(computer.id);
        changed.delete(computer.id);
        return now === null ? [] : [now ?? computer];
      });
      return [...kept, ...[...changed.values()].filter((computer) => computer !== null)];
    });
  }

  #applyRuns(event: Extract<LiveEvent, { type: "runs" }>): void {
    const update = (job: JobResource): JobResource => ({
      ...job,
      state: event.state,
      runs: event.runs.reduce<JobResource["runs"]>(
        (runs, run) => place(runs, run, ({ computerId }) => computerId === run.computerId),
        job.runs,
      ),
    });
    this.#patch<JobResource[]>(["listJobs"], (jobs) =>
      jobs.map((job) => (job.id === event.jobId ? update(job) : job)),
    );
    this.#patch<JobResource>(["showJob", event.jobId], update);
  }

  #applyBootEvent(event: BootEventResource): void {
    // What was told while the list was read may be in it.
    const isSame = (other: BootEventResource): boolean =>
      other.at === event.at &&
      other.mac === event.mac &&
      other.stage === event.stage &&
      other.detail === event.detail;
    const add = (events: BootEventResource[]): BootEventResource[] =>
      events.some(isSame) ? events : [event, ...events].slice(0, bootEventCountMax);
    this.#patch<BootEventResource[]>(["listBootEvents"], add);
    if (event.computerId !== null) {
      this.#patch<BootEventResource[]>(["listComputerEvents", event.computerId], add);
    }
  }

  #patch<Value>(key: readonly unknown[], change: (value: Value) => Value): void {
    this.#client.setQueryData<Value>(key, (value) => (value === undefined ? undefined : change(value)));
  }

  /** Reads again what routes of this area show. A setting changes the plan, and the profile, too. */
  #invalidateArea(area: string): void {
    const areas = ["settings", "profile", "segments"].includes(area)
      ? ["settings", "profile", "plan", "server", "segments", "initial-deployment"]
      : [area];
    void this.#client.invalidateQueries({
      predicate: ({ queryKey }) => {
        const path = routes[String(queryKey[0])]?.[1] ?? "";
        return areas.includes(path.split("/")[1] ?? "");
      },
    });
  }
}
