import type { Logger } from "pino";
import type { Clock } from "#platform/clock.ts";
import type { StoredComputer } from "#store/computer-store.ts";
import type { ControlMoveStore } from "#store/control-move-store.ts";
import type { LivePlan } from "./live-plan.ts";
import type { AgentSettingsService } from "./services/agent-settings-service.ts";
import type { ControlLink, ControlService } from "./services/control-service.ts";

export type ControlMoveDependencies = {
  readonly store: ControlMoveStore;
  readonly plan: LivePlan;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the plan says now. */
  readonly controlPort: () => number;
  readonly computers: () => readonly StoredComputer[];
  readonly control: () => Pick<ControlService, "find" | "links" | "openPort">;
  readonly agentSettings: Pick<AgentSettingsService, "send" | "find">;
  /** Services follow the plan, after an old port was taken out of it. */
  readonly onReleased: () => void;
};

/** A computer that has not been seen at the new port. */
export type Straggler = {
  readonly computer: StoredComputer | null;
  readonly computerId: string;
  readonly isConnected: boolean;
  /** What became of the last order to move; `null`: none was given yet. */
  readonly lastOrder: string | null;
};

/** An agent that did not reach the new port in this time returns to the old one by itself. */
const returnAfterMs = 60_000;
const orderAgainMs = 300_000;

/**
 * A change of the control port in stages: the new port is opened beside the old one, connected agents are told and move,
 * and the old port stays open until none is left behind, or until the operator releases it.
 */
export class ControlMove {
  readonly #dependencies: ControlMoveDependencies;
  #ports: readonly { readonly port: number; readonly replacedAtMs: number }[] = [];
  /** BOUNDED by the computers of the site. */
  #stragglers = new Set<string>();
  /** When each was last told. BOUNDED by `#stragglers`. */
  readonly #orderedAtMs = new Map<string, number>();
  #followedPort: number | null = null;

  constructor(dependencies: ControlMoveDependencies) {
    this.#dependencies = dependencies;
  }

  /** @param followedPort the port this server ran with when it was last there; `null` for a new one */
  async load(followedPort: number | null): Promise<void> {
    const { store, plan } = this.#dependencies;
    this.#followedPort = followedPort;
    this.#ports = await store.listPorts();
    this.#stragglers = new Set(await store.listStragglers());
    plan.keepControlPorts(this.#ports.map(({ port }) => port));
  }

  get oldPorts(): readonly number[] {
    return this.#ports.map(({ port }) => port);
  }

  stragglers(): Straggler[] {
    const { computers, control, agentSettings } = this.#dependencies;
    const byId = new Map(computers().map((computer) => [computer.id, computer]));
    return [...this.#stragglers].map((computerId) => {
      const change = agentSettings.find(computerId).change;
      return {
        computerId,
        computer: byId.get(computerId) ?? null,
        isConnected: control().find(computerId) !== null,
        lastOrder:
          change?.change.controlPort === undefined
            ? null
            : `${change.outcome}${change.reason === null ? "" : `: ${change.reason}`}`,
      };
    });
  }

  /** Before services follow: a port that was replaced stays in the plan while somebody may come to it. */
  async stage(): Promise<void> {
    const { plan, store, clock, computers } = this.#dependencies;
    const port = this.#dependencies.controlPort();
    const followed = this.#followedPort;
    this.#followedPort = port;
    if (followed === null || followed === port) {
      return;
    }
    const installed = computers().filter(
      ({ state, osKeyFingerprint }) => state === "approved" && osKeyFingerprint !== null,
    );
    this.#stragglers = new Set(installed.map(({ id }) => id));
    this.#orderedAtMs.clear();
    const old = [...this.#ports, { port: followed, replacedAtMs: clock.epochMs() }];
    this.#ports = this.#stragglers.size === 0 ? [] : old.filter((one) => one.port !== port);
    await store.put(this.#ports, [...this.#stragglers]);
    plan.keepControlPorts(this.oldPorts);
  }

  /** After services have followed, and now and then: tells whoever is still on an old port, and ends what is over. */
  async pursue(): Promise<void> {
    if (this.#ports.length === 0) {
      return;
    }
    this.#stragglers = new Set(await this.#dependencies.store.listStragglers());
    for (const link of this.#dependencies.control().links()) {
      await this.#meet(link);
    }
    await this.#releaseIfEmpty();
  }

  /** An agent has connected. */
  connected(link: ControlLink): void {
    if (this.#ports.length > 0) {
      this.#meet(link)
        .then(() => this.#releaseIfEmpty())
        .catch((error: unknown) => this.#dependencies.log.error({ err: error }, "moving an agent"));
    }
  }

  /** Ends the change now. @returns who is left behind */
  async release(): Promise<Straggler[]> {
    const left = this.stragglers();
    await this.#release();
    return left;
  }

  async #meet(link: ControlLink): Promise<void> {
    const { store, clock, control, agentSettings } = this.#dependencies;
    const port = this.#dependencies.controlPort();
    const { computerId, serverPort, environment } = link;
    if (serverPort === port) {
      if (this.#stragglers.delete(computerId)) {
        this.#orderedAtMs.delete(computerId);
        await store.moved(computerId);
      }
      return;
    }
    const orderedAtMs = this.#orderedAtMs.get(computerId) ?? Number.NEGATIVE_INFINITY;
    const isTime = clock.epochMs() - orderedAtMs >= orderAgainMs;
    // Nobody is sent to a port that could not be opened.
    if (environment === "os" && isTime && control().openPort() === port) {
      this.#orderedAtMs.set(computerId, clock.epochMs());
      await agentSettings.send(computerId, { change: { controlPort: port }, returnAfterMs });
    }
  }

  async #releaseIfEmpty(): Promise<void> {
    if (this.#ports.length > 0 && this.#stragglers.size === 0) {
      await this.#release();
    }
  }

  async #release(): Promise<void> {
    const { store, plan, log, onReleased } = this.#dependencies;
    log.info({ ports: this.oldPorts, left: this.#stragglers.size }, "old control ports are closed");
    this.#ports = [];
    this.#stragglers.clear();
    this.#orderedAtMs.clear();
    await store.put([], []);
    plan.keepControlPorts([]);
    onReleased();
  }
}
