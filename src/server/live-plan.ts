import { type ControlPlace, controlPlaces } from "#plan/control-places.ts";
import type { Flow } from "#plan/flow.ts";
import { computeFlows } from "#plan/flows.ts";
import type { ServedInterface } from "#plan/segment.ts";
import type { DiscoveryPlace, Settings } from "#plan/settings.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** What agents connected to before a change, and some still do. */
export type OldEndpoints = {
  readonly ports: readonly number[];
  readonly addresses: readonly Ipv4Address[];
  readonly discovery: readonly DiscoveryPlace[];
};

/** The flows of this server as its settings are now. Computed anew only when something has changed. */
export class LivePlan {
  readonly #settings: () => Settings;
  readonly #given: { readonly consolePort: number; readonly interfaces: readonly ServedInterface[] };
  #old: OldEndpoints = { ports: [], addresses: [], discovery: [] };
  #computedFrom: Settings | null = null;
  #computed: readonly Flow[] = [];

  constructor(
    settings: () => Settings,
    given: { readonly consolePort: number; readonly interfaces: readonly ServedInterface[] },
  ) {
    this.#settings = settings;
    this.#given = given;
  }

  flows(): readonly Flow[] {
    const settings = this.#settings();
    if (this.#computedFrom !== settings) {
      this.#computedFrom = settings;
      this.#computed = computeFlows(settings, {
        consolePort: this.#given.consolePort,
        oldControlPorts: this.#old.ports,
        oldDiscovery: this.#old.discovery,
      });
    }
    return this.#computed;
  }

  /** Where agents are to connect. */
  controlPlaces(): ControlPlace[] {
    return controlPlaces(this.#given.interfaces, this.#settings()["control.addresses"]);
  }

  /** Where they may connect: the old addresses as well. */
  openPlaces(): ControlPlace[] {
    const planned = this.controlPlaces();
    const old = this.#old.addresses
      .filter((address) => planned.every((place) => place.address !== address))
      .flatMap((address) =>
        controlPlaces(this.#given.interfaces, [address]).filter((place) => place.address === address),
      );
    return [...planned, ...old];
  }

  /** What stays open until every agent has moved. */
  keep(old: OldEndpoints): void {
    this.#old = old;
    this.#computedFrom = null;
  }
}
