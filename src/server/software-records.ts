import type { Logger } from "pino";
import { describeSoftwareChange, splitPackage } from "#engine/agent/software-change.ts";
import type { Facts } from "#engine/job/condition.ts";
import type { Clock } from "#platform/clock.ts";
import type { SoftwareStore } from "#store/software-store.ts";
import type { Software } from "#wire/control/software-message.ts";
import type { ComputerHistory } from "./computer-history.ts";

type Known = { readonly listId: string; readonly atMs: number };

export type SoftwareRecordsDependencies = {
  readonly store: SoftwareStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly history: ComputerHistory;
};

/** What is installed on each computer, as its agent last said. In memory, because conditions of jobs ask. */
export class SoftwareRecords {
  readonly #dependencies: SoftwareRecordsDependencies;
  /** By computer id. BOUNDED by the computers of the site. */
  readonly #computers = new Map<string, Known>();
  /** By id, each once for all computers that have it. BOUNDED by the computers of the site; a list of 1000 packages is 30 kB. */
  readonly #lists = new Map<string, Software>();
  /** One write after the other: each removes lists that nobody has any more. */
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(dependencies: SoftwareRecordsDependencies) {
    this.#dependencies = dependencies;
  }

  async load(): Promise<void> {
    const { store } = this.#dependencies;
    for (const [id, software] of await store.lists()) {
      this.#lists.set(id, software);
    }
    for (const { computerId, listId, atMs } of await store.computers()) {
      this.#computers.set(computerId, { listId, atMs });
    }
  }

  find(computerId: string): { readonly software: Software; readonly atMs: number } | null {
    const known = this.#computers.get(computerId);
    const software = this.#lists.get(known?.listId ?? "");
    return known === undefined || software === undefined ? null : { software, atMs: known.atMs };
  }

  /** A package is known by its name, and by name and version. */
  factsOf(computerId: string): Facts {
    const software = this.find(computerId)?.software;
    return software === undefined
      ? { package: null, user: null }
      : {
          package: software.packages.flatMap((text) => [splitPackage(text).name, text]),
          user: software.users,
        };
  }

  /** What has changed goes into the computer's history. */
  receive(computerId: string, software: Software): void {
    this.#lastWrite = this.#lastWrite
      .then(() => this.#keep(computerId, software))
      .catch((error: unknown) =>
        this.#dependencies.log.error({ err: error, computerId }, "software could not be stored"),
      );
  }

  async forget(computerId: string): Promise<void> {
    this.#computers.delete(computerId);
    await this.#dependencies.store.remove(computerId);
  }

  async #keep(computerId: string, software: Software): Promise<void> {
    const { store, clock, history } = this.#dependencies;
    const before = this.find(computerId)?.software ?? null;
    const atMs = clock.epochMs();
    const listId = await store.put(computerId, software, atMs);
    const oldId = this.#computers.get(computerId)?.listId;
    this.#lists.set(listId, this.#lists.get(listId) ?? software);
    this.#computers.set(computerId, { listId, atMs });
    if (oldId !== undefined && ![...this.#computers.values()].some((known) => known.listId === oldId)) {
      this.#lists.delete(oldId);
    }
    const changes = before === null ? [] : describeSoftwareChange(before, software);
    if (changes.length > 0) {
      history.note(computerId, "inventory", changes.join("; "));
    }
  }
}
