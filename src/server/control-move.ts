import type { Logger } from "pino";
import type { DiscoveryPlace } from "#plan/settings.ts";
import type { Clock } from "#platform/clock.ts";
import type { AgentState } from "#store/agent-store.ts";
import type { StoredComputer } from "#store/computer-store.ts";
import type { ControlMoveStore, OldControlEndpoints } from "#store/control-move-store.ts";
import type { SiteStore } from "#store/site-store.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { AgentSettingsChange } from "#wire/control/agent-settings.ts";
import type { LivePlan } from "./live-plan.ts";
import type { AgentSettingsService } from "./services/agent-settings-service.ts";
import type { ControlLink, ControlService } from "./services/control-service.ts";

/** What agents need to know of a server to find it. */
export type FollowedPlan = { readonly port: number; readonly discovery: DiscoveryPlace };

export type ControlMoveDependencies = {
  readonly store: ControlMoveStore;
  readonly site: Pick<SiteStore, "read" | "write">;
  readonly plan: LivePlan;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the plan says now. */
  readonly planned: () => FollowedPlan;
  readonly computers: () => readonly StoredComputer[];
  /** What every agent of the site last said it runs with, also those of other servers. */
  readonly readAgents: () => Promise<readonly AgentState[]>;
  readonly control: () => Pick<ControlService, "find" | "links" | "openPort" | "isOpen">;
  readonly agentSettings: Pick<AgentSettingsService, "send" | "find">;
  /** Services follow the plan, after something old was taken out of it. */
  readonly onReleased: () => void;
};

/** A computer that has not been seen at the new place. */
export type Straggler = {
  readonly computer: StoredComputer | null;
  readonly computerId: string;
  readonly isConnected: boolean;
  /** What became of the last order to move; `null`: none was given yet. */
  readonly lastOrder: string | null;
};

/** An agent that did not reach the new place in this time returns to the old one by itself. */
const returnAfterMs = 60_000;
const orderAgainMs = 300_000;
/** After a refusal: another change was on trial. */
const refusedAgainMs = 15_000;
const oldDiscoveryKey = "old-discovery";
const oldDiscoveryMax = 4;

function isSame(one: DiscoveryPlace, other: DiscoveryPlace): boolean {
  return one.group === other.group && one.port === other.port;
}

/**
 * A change of where agents find the server, in stages: the new control port, control address or discovery group is opened
 * beside the old one, connected agents are told and move, and the old one stays open until none is left behind, or until the
 * operator releases it.
 */
export class ControlMove {
  readonly #dependencies: ControlMoveDependencies;
  #old: OldControlEndpoints = { ports: [], addresses: [] };
  /** BOUNDED by `oldDiscoveryMax`. */
  #oldDiscovery: readonly DiscoveryPlace[] = [];
  /** Who has not been seen at the new port and address. BOUNDED by the computers of the site. */
  #stragglers = new Set<string>();
  /** Who would still ask an old group. BOUNDED by the computers of the site. */
  #discoveryStragglers = new Set<string>();
  /** When each was last told. BOUNDED by the computers of the site. */
  readonly #orderedAtMs = new Map<string, number>();
  #followed: (FollowedPlan & { readonly addresses: readonly Ipv4Address[] }) | null = null;

  #hasFollowed = false;

  constructor(dependencies: ControlMoveDependencies) {
    this.#dependencies = dependencies;
  }

  /** @param followed what this server ran with when it was last there; `null` for a new one */
  async load(
    followed: (FollowedPlan & { readonly addresses: readonly Ipv4Address[] }) | null,
  ): Promise<void> {
    const { store, site } = this.#dependencies;
    this.#followed = followed;
    this.#old = { ports: await store.listPorts(), addresses: await store.listAddresses() };
    this.#stragglers = new Set(await store.listStragglers());
    this.#oldDiscovery = JSON.parse((await site.read(oldDiscoveryKey)) ?? "[]") as DiscoveryPlace[];
    this.#keep();
  }

  get oldPorts(): readonly number[] {
    return this.#old.ports.map(({ port }) => port);
  }

  get oldAddresses(): readonly Ipv4Address[] {
    return this.#old.addresses.map(({ address }) => Ipv4Address.parse(address));
  }

  get oldDiscovery(): readonly DiscoveryPlace[] {
    return this.#oldDiscovery;
  }

  stragglers(): Straggler[] {
    const { computers, control, agentSettings } = this.#dependencies;
    const byId = new Map(computers().map((computer) => [computer.id, computer]));
    return [...this.#stragglers.union(this.#discoveryStragglers)].map((computerId) => {
      const change = agentSettings.find(computerId).change;
      const isMove =
        change !== null && ["controlPort", "server", "discoveryGroup"].some((key) => key in change.change);
      return {
        computerId,
        computer: byId.get(computerId) ?? null,
        isConnected: control().find(computerId) !== null,
        lastOrder: isMove ? `${change.outcome}${change.reason === null ? "" : `: ${change.reason}`}` : null,
      };
    });
  }

  /** Before services follow: what was replaced stays in the plan while somebody may come to it. */
  async stage(): Promise<void> {
    const { plan, planned, control } = this.#dependencies;
    const before = this.#followed;
    const isFirst = !this.#hasFollowed;
    this.#hasFollowed = true;
    const now = { ...planned(), addresses: plan.controlPlaces().map(({ address }) => address) };
    this.#followed = now;
    if (before === null) {
      return;
    }
    // What this server ran with before it was started was open then; later it is seen what could be opened.
    const wasOpen = (address: Ipv4Address): boolean => isFirst || control().isOpen(address, before.port);
    const left = before.addresses.filter((address) => !now.addresses.includes(address) && wasOpen(address));
    const isPortLeft = before.port !== now.port && (isFirst || before.addresses.some(wasOpen));
    if (before.port !== now.port || before.addresses.join() !== now.addresses.join()) {
      await this.#stageControl(isPortLeft ? [before.port] : [], left);
    }
    if (!isSame(before.discovery, now.discovery)) {
      this.#orderedAtMs.clear();
      const old = [before.discovery, ...this.#oldDiscovery];
      this.#oldDiscovery = old.filter((one) => !isSame(one, now.discovery)).slice(0, oldDiscoveryMax);
      await this.#countDiscoveryStragglers();
    }
    this.#keep();
  }

  async #stageControl(ports: readonly number[], addresses: readonly Ipv4Address[]): Promise<void> {
    const { store, clock, computers, plan, planned } = this.#dependencies;
    const installed = computers().filter(
      ({ state, osKeyFingerprint }) => state === "approved" && osKeyFingerprint !== null,
    );
    this.#stragglers = new Set(installed.map(({ id }) => id));
    this.#orderedAtMs.clear();
    const replacedAtMs = clock.epochMs();
    const places = plan.controlPlaces();
    const isPlanned = (address: string): boolean => places.some((place) => place.address === address);
    const known = this.#old;
    this.#old = {
      ports: [
        ...known.ports.filter(({ port }) => port !== planned().port && !ports.includes(port)),
        ...ports.map((port) => ({ port, replacedAtMs })),
      ],
      addresses: [
        ...known.addresses.filter(
          ({ address }) => !isPlanned(address) && addresses.every((one) => one !== address),
        ),
        ...addresses.map((address) => ({ address, replacedAtMs })),
      ],
    };
    if (!this.#hasOldControl() || installed.length === 0) {
      this.#old = { ports: [], addresses: [] };
      this.#stragglers.clear();
    }
    await store.put(this.#old, [...this.#stragglers]);
  }

  /** After services have followed, and now and then: tells whoever is still at an old place, and ends what is over. */
  async pursue(): Promise<void> {
    if (!this.#isUnderWay()) {
      return;
    }
    this.#stragglers = new Set(await this.#dependencies.store.listStragglers());
    for (const link of this.#dependencies.control().links()) {
      await this.#meet(link);
    }
    await this.#releaseIfEmpty();
  }

  /** An agent has connected, or said what it runs with. */
  met(link: ControlLink): void {
    if (this.#isUnderWay()) {
      this.#meet(link)
        .then(() => this.#releaseIfEmpty())
        .catch((error: unknown) => this.#dependencies.log.error({ err: error }, "moving an agent"));
    }
  }

  /** Ends the change now. @returns who is left behind */
  async release(): Promise<Straggler[]> {
    const left = this.stragglers();
    await this.#releaseControl();
    await this.#releaseDiscovery();
    return left;
  }

  #isUnderWay(): boolean {
    return this.#hasOldControl() || this.#oldDiscovery.length > 0;
  }

  #hasOldControl(): boolean {
    return this.#old.ports.length > 0 || this.#old.addresses.length > 0;
  }

  #keep(): void {
    const { oldPorts: ports, oldAddresses: addresses, oldDiscovery: discovery } = this;
    this.#dependencies.plan.keep({ ports, addresses, discovery });
  }

  async #meet(link: ControlLink): Promise<void> {
    const { store, clock, agentSettings } = this.#dependencies;
    const { computerId, environment } = link;
    const isThere =
      link.serverPort === this.#dependencies.planned().port &&
      !this.oldAddresses.includes(link.serverAddress);
    if (isThere && this.#stragglers.delete(computerId)) {
      await store.moved(computerId);
    }
    const change = { ...(isThere ? {} : this.#controlChange(link)), ...this.#discoveryChange(computerId) };
    if (environment !== "os" || Object.keys(change).length === 0) {
      return;
    }
    const orderedAtMs = this.#orderedAtMs.get(computerId) ?? Number.NEGATIVE_INFINITY;
    const wasRefused = agentSettings.find(computerId).change?.outcome === "refused";
    if (clock.epochMs() - orderedAtMs >= (wasRefused ? refusedAgainMs : orderAgainMs)) {
      this.#orderedAtMs.set(computerId, clock.epochMs());
      await agentSettings.send(computerId, { change, returnAfterMs });
    }
  }

  /** Nobody is sent to a place that could not be opened. */
  #controlChange({ computerId, interfaceName, serverAddress }: ControlLink): AgentSettingsChange {
    const { plan, planned, control, agentSettings } = this.#dependencies;
    const { port } = planned();
    const place = plan.controlPlaces().find(({ name }) => name === interfaceName);
    const address = this.oldAddresses.includes(serverAddress) ? place?.address : undefined;
    const isOpen = address === undefined ? control().openPort() === port : control().isOpen(address, port);
    if (!isOpen) {
      return {};
    }
    // Who has no address set asks the group again, and is told the new one.
    const isSet = agentSettings.find(computerId).settings?.server !== null;
    return { controlPort: port, ...(address !== undefined && isSet ? { server: address } : {}) };
  }

  #discoveryChange(computerId: string): AgentSettingsChange {
    const { group, port } = this.#dependencies.planned().discovery;
    return this.#asksOldGroup(this.#dependencies.agentSettings.find(computerId))
      ? { discoveryGroup: group, discoveryPort: port }
      : {};
  }

  #asksOldGroup({ settings }: Pick<AgentState, "settings">): boolean {
    if (settings === null || !settings.discovery) {
      return false;
    }
    const asked = { group: settings.discoveryGroup, port: settings.discoveryPort };
    return this.#oldDiscovery.some((old) => isSame(old, asked));
  }

  /** An agent that was told another group than any of the site's keeps it: whoever set it will know why. */
  async #countDiscoveryStragglers(): Promise<void> {
    const { readAgents, computers, site } = this.#dependencies;
    if (this.#oldDiscovery.length === 0) {
      this.#discoveryStragglers.clear();
      return;
    }
    const approved = new Set(
      computers()
        .filter(({ state }) => state === "approved")
        .map(({ id }) => id),
    );
    const agents = await readAgents();
    const left = agents.filter((agent) => approved.has(agent.computerId) && this.#asksOldGroup(agent));
    this.#discoveryStragglers = new Set(left.map(({ computerId }) => computerId));
    this.#oldDiscovery = left.length === 0 ? [] : this.#oldDiscovery;
    await site.write(oldDiscoveryKey, JSON.stringify(this.#oldDiscovery));
  }

  async #releaseIfEmpty(): Promise<void> {
    if (this.#hasOldControl() && this.#stragglers.size === 0) {
      await this.#releaseControl();
    }
    if (this.#oldDiscovery.length > 0) {
      await this.#countDiscoveryStragglers();
      if (this.#oldDiscovery.length === 0) {
        await this.#releaseDiscovery();
      }
    }
  }

  async #releaseControl(): Promise<void> {
    const { store, log, onReleased } = this.#dependencies;
    const { oldPorts: ports, oldAddresses: addresses } = this;
    log.info({ ports, addresses, left: this.#stragglers.size }, "old control endpoints are closed");
    this.#old = { ports: [], addresses: [] };
    this.#stragglers.clear();
    this.#orderedAtMs.clear();
    await store.put(this.#old, []);
    this.#keep();
    onReleased();
  }

  async #releaseDiscovery(): Promise<void> {
    const { site, log, onReleased } = this.#dependencies;
    log.info({ left: this.#discoveryStragglers.size }, "old discovery groups are left");
    this.#oldDiscovery = [];
    this.#discoveryStragglers.clear();
    await site.write(oldDiscoveryKey, "[]");
    this.#keep();
    onReleased();
  }
}
