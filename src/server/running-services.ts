import type { Logger } from "pino";
import type { Flow, FlowId } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { GrantError } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import { NetworkError } from "#platform/network-error.ts";
import type { OpenSocket } from "#platform/network.ts";

export type ServiceState = {
  readonly state: "running" | "off" | "failed";
  readonly reason: string | null;
};

/** Something that listens as the plan says, each time it is told to. */
type Service = {
  readonly name: string;
  /** The flows it listens for; the first says whether it runs. */
  readonly flowIds: readonly [FlowId, ...FlowId[]];
  /** @throws NetworkError when a socket cannot be had; what was open stays open */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** A service that does not listen as the plan says. */
export type ServiceFailure = { readonly flowIds: readonly FlowId[]; readonly reason: string };

/** What following the plan has changed, as sentences. */
export type PlanChange = {
  readonly opened: readonly string[];
  readonly closed: readonly string[];
  /** What could not be followed; it is tried again until it works. */
  readonly problems: readonly string[];
};

export type RunningServicesDependencies = {
  readonly flows: () => readonly Flow[];
  readonly openSockets: () => readonly OpenSocket[];
  readonly clock: Clock;
  readonly log: Logger;
};

const retryDelayMs = 5000;

function describeSocket({ flowId, transport, localPort, interfaceName, groups }: OpenSocket): string {
  const joined = groups.length === 0 ? "" : ` in ${groups.join(", ")}`;
  return `${transport} port ${localPort}${joined} on ${interfaceName ?? "any interface"} (${flowId})`;
}

/**
 * Keeps the services of a server as the plan wants them: started, stopped and moved to other ports while the rest runs. A
 * service whose port is taken stays where it is, is named, and is tried again.
 */
export class RunningServices {
  readonly #services: readonly Service[];
  readonly #dependencies: RunningServicesDependencies;
  /** Keyed by name. BOUNDED by the services. */
  readonly states = new Map<string, ServiceState>();
  #turn: Promise<unknown> = Promise.resolve();
  #cancelRetry: () => void = () => undefined;
  #isStopped = false;

  constructor(services: readonly Service[], dependencies: RunningServicesDependencies) {
    this.#services = services;
    this.#dependencies = dependencies;
  }

  /** Brings every service to where the plan is now. One call at a time; each ends with what it has changed. */
  follow(): Promise<PlanChange> {
    const done = this.#turn.then(() => this.#follow());
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Which flows nothing listens for as the plan says now. */
  failures(): ServiceFailure[] {
    return this.#services.flatMap(({ name, flowIds }) => {
      const found = this.states.get(name);
      return found?.state === "failed" ? [{ flowIds, reason: found.reason ?? "failed" }] : [];
    });
  }

  /** What does not follow the plan now. */
  problems(): string[] {
    return [...this.states]
      .filter(([, { state }]) => state === "failed")
      .map(([name, { reason }]) => `${name}: ${reason ?? "failed"}`);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRetry();
    await this.#turn;
    await Promise.all(this.#services.map((service) => service.stop()));
  }

  async #follow(): Promise<PlanChange> {
    const before = this.#standingSockets();
    const failed: Service[] = [];
    for (const service of this.#isStopped ? [] : this.#services) {
      if (!(await this.#start(service))) {
        failed.push(service);
      }
    }
    // Two services that change ports with each other: the first can move once the second has.
    const stuck: Service[] = [];
    for (const service of failed) {
      if (!(await this.#start(service))) {
        stuck.push(service);
      }
    }
    this.#retryLater(stuck.length > 0);
    const after = this.#standingSockets();
    return {
      opened: [...after].filter((text) => !before.has(text)),
      closed: [...before].filter((text) => !after.has(text)),
      problems: this.problems(),
    };
  }

  async #start(service: Service): Promise<boolean> {
    const { name, flowIds } = service;
    const [flowId] = flowIds;
    try {
      await service.start();
      const flow = findFlow(this.#dependencies.flows(), flowId);
      const reason = flowId === "agent.discovery" ? "discovery.enabled is off" : "boot.mode is off";
      this.states.set(
        name,
        flow.state === "on" ? { state: "running", reason: null } : { state: "off", reason },
      );
      return true;
    } catch (error) {
      if (!(error instanceof NetworkError || error instanceof GrantError)) {
        throw error;
      }
      if (this.states.get(name)?.reason !== error.message) {
        this.#dependencies.log.warn({ err: error, service: name }, "a service cannot follow the plan");
      }
      this.states.set(name, { state: "failed", reason: error.message });
      return false;
    }
  }

  #standingSockets(): Set<string> {
    const { flows, openSockets } = this.#dependencies;
    // A flow that is off now may have sockets that are about to close.
    const standing = new Set(
      flows()
        .filter(({ serverSocket }) => serverSocket === "standing")
        .map(({ id }) => id),
    );
    return new Set(
      openSockets()
        .filter(({ flowId }) => standing.has(flowId))
        .map(describeSocket),
    );
  }

  #retryLater(isNeeded: boolean): void {
    this.#cancelRetry();
    if (isNeeded && !this.#isStopped) {
      this.#cancelRetry = this.#dependencies.clock.after(retryDelayMs, () => {
        this.follow().then(
          ({ opened, problems }) => {
            if (problems.length === 0) {
              this.#dependencies.log.info({ opened }, "every service follows the plan again");
            }
          },
          (error: unknown) => this.#dependencies.log.error({ err: error }, "following the plan"),
        );
      });
    }
  }
}

/** What a change of settings did, for whoever made it. */
export function describeChange({ opened, closed, problems }: PlanChange): string {
  const parts = [
    ...(opened.length === 0 ? [] : [`opened ${opened.join("; ")}`]),
    ...(closed.length === 0 ? [] : [`closed ${closed.join("; ")}`]),
    ...(problems.length === 0
      ? []
      : [`NOT DONE: ${problems.join("; ")}; what was open stays open, and this is tried again`]),
  ];
  return parts.length === 0 ? "in effect; no standing socket had to change" : parts.join(". ");
}
