import type { Flow } from "#plan/flow.ts";
import { computeFlows } from "#plan/flows.ts";
import type { Settings } from "#plan/settings.ts";

/** The flows of this server as its settings are now. Computed anew only when something has changed. */
export class LivePlan {
  readonly #settings: () => Settings;
  readonly #consolePort: number;
  #oldControlPorts: readonly number[] = [];
  #computedFrom: Settings | null = null;
  #computed: readonly Flow[] = [];

  constructor(settings: () => Settings, consolePort: number) {
    this.#settings = settings;
    this.#consolePort = consolePort;
  }

  flows(): readonly Flow[] {
    const settings = this.#settings();
    if (this.#computedFrom !== settings) {
      this.#computedFrom = settings;
      this.#computed = computeFlows(settings, {
        consolePort: this.#consolePort,
        oldControlPorts: this.#oldControlPorts,
      });
    }
    return this.#computed;
  }

  /** Control ports of before a change, which stay open until every agent has moved. */
  get oldControlPorts(): readonly number[] {
    return this.#oldControlPorts;
  }

  keepControlPorts(ports: readonly number[]): void {
    this.#oldControlPorts = ports;
    this.#computedFrom = null;
  }
}
