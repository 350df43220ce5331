import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import type { Clock } from "#platform/clock.ts";
import type { AgentState, AgentStore } from "#store/agent-store.ts";
import type { AgentSettingsChange } from "#wire/control/agent-settings.ts";
import type { AgentManagementMessage } from "#wire/control/management-messages.ts";
import type { ComputerHistory } from "../computer-history.ts";
import type { ControlLink } from "./control-service.ts";

export type AgentSettingsServiceDependencies = {
  readonly store: AgentStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly history: ComputerHistory;
  readonly findLink: (computerId: string) => ControlLink | null;
};

export type SettingsOrder = {
  readonly change: AgentSettingsChange;
  readonly returnAfterMs: number;
};

export type SettingsSent =
  | { readonly outcome: "sent"; readonly changeId: string }
  | { readonly outcome: "not-sent"; readonly reason: string };

type SettingsMessage = Extract<AgentManagementMessage, { readonly type: "settings" | "settings-report" }>;

/** What installed agents run with, and changes on their way to them. */
export class AgentSettingsService {
  readonly #dependencies: AgentSettingsServiceDependencies;
  /** Keyed by computer id. BOUNDED by the computers of the site. */
  readonly #states = new Map<string, AgentState>();
  /** Ids of states that the store does not have yet. BOUNDED as `#states`. */
  readonly #unwritten = new Set<string>();
  #lastWrite: Promise<unknown> = Promise.resolve();
  #nextWrite: Promise<void> | null = null;

  constructor(dependencies: AgentSettingsServiceDependencies) {
    this.#dependencies = dependencies;
  }

  async load(): Promise<void> {
    for (const state of await this.#dependencies.store.list()) {
      this.#states.set(state.computerId, state);
    }
  }

  find(computerId: string): AgentState {
    return this.#states.get(computerId) ?? { computerId, settings: null, isLocked: false, change: null };
  }

  /** Sends a change to a computer that is connected now, from its operating system. */
  async send(computerId: string, order: SettingsOrder): Promise<SettingsSent> {
    const { findLink, clock, history } = this.#dependencies;
    const link = findLink(computerId);
    if (link === null) {
      return { outcome: "not-sent", reason: "its agent is not connected" };
    }
    if (link.environment !== "os") {
      return { outcome: "not-sent", reason: "it is in preboot, which gets its settings with each boot" };
    }
    const changeId = `s-${randomBytes(4).toString("hex")}`;
    const { lock, ...change } = order.change;
    const record = { changeId, change, outcome: "sent" as const, reason: null, sentAtMs: clock.epochMs() };
    await this.#put({ ...this.find(computerId), change: record });
    link.send({ type: "change-settings", changeId, ...order });
    const named = Object.entries(change).map(([name, value]) => `${name} = ${String(value)}`);
    const all = [...named, ...(lock === undefined ? [] : ["lock"])];
    history.note(computerId, "settings", `${changeId} sent: ${all.join(", ")}`);
    return { outcome: "sent", changeId };
  }

  receive(computerId: string, message: SettingsMessage): void {
    const state = this.find(computerId);
    if (message.type === "settings") {
      const { settings, isLocked } = message;
      const isSame = JSON.stringify(state.settings) === JSON.stringify(settings);
      if (!isSame || state.isLocked !== isLocked) {
        this.#putLater({ ...state, settings, isLocked });
      }
      return;
    }
    const { changeId, outcome, reason } = message;
    this.#dependencies.history.note(
      computerId,
      "settings",
      `${changeId} ${outcome}${reason === null ? "" : `: ${reason}`}`,
    );
    if (state.change?.changeId === changeId) {
      this.#putLater({ ...state, change: { ...state.change, outcome, reason } });
    }
  }

  async forget(computerId: string): Promise<void> {
    this.#states.delete(computerId);
    await this.#dependencies.store.remove(computerId);
  }

  /** In order, and all that gather during one write in the next: a room comes back at once. */
  #put(state: AgentState): Promise<void> {
    this.#states.set(state.computerId, state);
    this.#unwritten.add(state.computerId);
    this.#nextWrite ??= this.#lastWrite.then(() => {
      this.#nextWrite = null;
      const states = [...this.#unwritten].map((id) => this.find(id));
      this.#unwritten.clear();
      const done = this.#dependencies.store.put(states, this.#dependencies.clock.epochMs());
      this.#lastWrite = done.catch(() => undefined);
      return done;
    });
    return this.#nextWrite;
  }

  #putLater(state: AgentState): void {
    this.#put(state).catch((error: unknown) =>
      this.#dependencies.log.error({ err: error }, "agent settings could not be stored"),
    );
  }
}
