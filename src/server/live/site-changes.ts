import type { BootEventResource } from "#api/boot-api.ts";

/** What has changed since somebody last looked. */
export type ChangeSet = {
  readonly computerIds: ReadonlySet<string>;
  /** Computers whose run changed, by job id. */
  readonly runs: ReadonlyMap<string, ReadonlySet<string>>;
  readonly bootEvents: readonly BootEventResource[];
  readonly areas: ReadonlySet<string>;
};

const bootEventCountMax = 500;

/**
 * Collects what changed, for those who show the site live. Services call it and never wait; it holds names, not states,
 * so that a thousand changes of one computer are shown once.
 */
export class SiteChanges {
  /** BOUNDED by the computers of the site. */
  #computerIds = new Set<string>();
  /** BOUNDED by the runs of the site. */
  #runs = new Map<string, Set<string>>();
  /** BOUNDED by `bootEventCountMax`: the oldest go. */
  #bootEvents: BootEventResource[] = [];
  /** BOUNDED by the areas of the API. */
  #areas = new Set<string>();
  #isWatched = false;
  #onChange: () => void = () => undefined;

  /** `onChange` is called at every change. Without a watcher nothing is collected. */
  watch(onChange: () => void): void {
    this.#isWatched = true;
    this.#onChange = onChange;
  }

  computer(id: string): void {
    this.#note(() => this.#computerIds.add(id));
  }

  run(jobId: string, computerId: string): void {
    this.#note(() => {
      const computers = this.#runs.get(jobId) ?? new Set();
      this.#runs.set(jobId, computers.add(computerId));
      this.#computerIds.add(computerId);
    });
  }

  bootEvent(event: BootEventResource): void {
    this.#note(() => {
      this.#bootEvents = [...this.#bootEvents.slice(1 - bootEventCountMax), event];
    });
  }

  area(name: string): void {
    this.#note(() => this.#areas.add(name));
  }

  get isEmpty(): boolean {
    const areNamed = [this.#computerIds, this.#runs, this.#areas].some(({ size }) => size > 0);
    return !areNamed && this.#bootEvents.length === 0;
  }

  take(): ChangeSet {
    const taken = {
      computerIds: this.#computerIds,
      runs: this.#runs,
      bootEvents: this.#bootEvents,
      areas: this.#areas,
    };
    this.#computerIds = new Set();
    this.#runs = new Map();
    this.#bootEvents = [];
    this.#areas = new Set();
    return taken;
  }

  #note(change: () => void): void {
    if (!this.#isWatched) {
      return;
    }
    change();
    this.#onChange();
  }
}
