import { describeInventoryChange } from "#engine/agent/inventory-change.ts";
import type { AgentNetwork } from "#plan/segment.ts";
import { SegmentStore } from "#store/segment-store.ts";
import type { RelaySightings } from "./relay-sightings.ts";
import { SiteSegments } from "./site-segments.ts";
import type { Inventory } from "#wire/control/inventory.ts";
import type { AgentMessage } from "#wire/control/message.ts";
import { ComputerStore } from "#store/computer-store.ts";
import type { BootServices } from "./boot-services.ts";
import type { ComputerDirectory } from "./computer-directory.ts";
import type { ControlMove } from "./control-move.ts";
import { ComputerRegistry } from "./computer-registry.ts";
import type { ManagementServices } from "./management-services.ts";
import type { ServerParts } from "./server.ts";
import { type ControlLink, ControlService } from "./services/control-service.ts";
import { DiscoveryService } from "./services/discovery-service.ts";
import type { InitialDeploymentService } from "./services/initial-deployment-service.ts";
import type { ImagingService } from "./services/imaging-service.ts";
import type { JobService } from "./services/job-service.ts";
import type { FindingService } from "./verify/finding-service.ts";
import type { ProbeDesk } from "./verify/probe-desk.ts";
import type { ProbeWatch } from "./verify/probe-watch.ts";

/** Answers agents that look for their server. */
export function createDiscovery(
  parts: ServerParts,
  registry: ComputerRegistry,
  watch: ProbeWatch,
  control: () => Pick<ControlService, "openPort" | "openAddress">,
): DiscoveryService {
  const { flows, interfaces, config, network, clock, log, authority } = parts;
  return new DiscoveryService(
    {
      flows,
      interfaces,
      controlPort: () => control().openPort(),
      controlAddress: (interfaceName) => control().openAddress(interfaceName),
      serverName: config.name,
    },
    {
      network,
      clock,
      log,
      authority,
      isKnown: (macs) => registry.list().some((computer) => computer.macs.some((mac) => macs.includes(mac))),
      onQuestion: ({ nonce, datagram }) => {
        const { sourceAddress, sourcePort, interfaceName } = datagram;
        const arrival = { sourceAddress, sourcePort, interfaceName, relay: null, silence: null };
        watch.see(`nonce:${Buffer.from(nonce).toString("hex")}`, arrival);
      },
    },
  );
}

type ControlWiring = {
  readonly parts: ServerParts;
  readonly registry: ComputerRegistry;
  readonly jobs: JobService;
  readonly imaging: ImagingService;
  readonly boot: BootServices;
  readonly management: ManagementServices;
  readonly probes: ProbeDesk;
  readonly move: ControlMove;
  readonly initial: InitialDeploymentService;
  readonly findings: Pick<FindingService, "seeRogueDiscovery">;
};

/** The agents' connections, wired to who lets them in and who gives them work. */
export function createControl(given: ControlWiring): ControlService {
  const { registry, jobs } = given;
  const { flows, plan, settings, tls, authority, clock, log } = given.parts;
  return new ControlService(
    {
      flows,
      places: () => plan.openPlaces(),
      tls,
      discovery: () => {
        const current = settings.current();
        return {
          isEnabled: current["discovery.enabled"],
          group: current["discovery.group"],
          port: current["discovery.port"],
        };
      },
    },
    {
      authority,
      clock,
      log,
      decideEnrolment: (message, keyFingerprint) => registry.enrol(message, keyFingerprint),
      admit: (subject) => {
        const computer = registry.get(subject.computerId);
        const isRevoked = subject.issuedAtMs < (computer?.revokedAtMs ?? 0);
        return Promise.resolve(
          computer === null || computer.state !== "approved" || isRevoked
            ? { refusal: "this computer is not approved (any more)" }
            : { name: computer.name },
        );
      },
      onConnected: (link) => welcomeAgent(given, link),
      onDisconnected: (link) => {
        registry.publish(link.computerId);
        given.probes.leave(link.computerId);
        jobs.disconnected(link.computerId);
        given.initial.disconnected(link.computerId);
      },
      onMessage: (link, message) => passOn(given, link, message),
      joinRemote: (socket, computerId, ticket) => given.management.remote.join(socket, computerId, ticket),
    },
  );
}

/** Everyone who waits for a computer learns that it is here. */
function welcomeAgent(wiring: ControlWiring, link: ControlLink): void {
  const { parts, registry, jobs, boot, management, move, initial, probes } = wiring;
  const { clock, log } = parts;
  // A connection that an older one gave way to.
  probes.leave(link.computerId);
  const { inventory } = link.hello;
  const [mac] = inventory.macs;
  if (link.environment === "preboot" && mac !== undefined) {
    const { computerId, address: peerAddress, serverAddress } = link;
    const interfaceName = link.interfaceName ?? "";
    boot.progress.prebootConnected({ mac, computerId, peerAddress, serverAddress, interfaceName });
  }
  noteInventory(wiring, link.computerId, inventory);
  const facts = { inventory, address: link.address, lastSeenAtMs: clock.epochMs() };
  registry.seen(link.computerId, facts).catch((error: unknown) => log.error({ err: error }, "control"));
  log.info({ computerId: link.computerId, environment: link.environment }, "agent connected");
  management.wake.seen(link.computerId);
  jobs.connected(link);
  initial.connected(link);
  move.met(link);
}

/** What has changed about a computer goes into its history. Before the registry takes the new inventory. */
function noteInventory(
  { registry, management }: ControlWiring,
  computerId: string,
  inventory: Inventory,
): void {
  const known = registry.get(computerId)?.inventory ?? null;
  const changes = known === null ? [] : describeInventoryChange(known, inventory);
  if (changes.length > 0) {
    management.history.note(computerId, "inventory", changes.join("; "));
  }
}

/** Each message to the service whose affair it is. */
function passOn(wiring: ControlWiring, link: ControlLink, message: AgentMessage): void {
  const { parts, registry, jobs, imaging, management, probes, move } = wiring;
  const { clock, log } = parts;
  switch (message.type) {
    case "task-progress":
      if (message.transport === "unicast") {
        imaging
          .fetchesAlone(link.computerId, message.key)
          .catch((error: unknown) => log.error({ err: error }, "imaging"));
      }
      jobs.agentMessage(link.computerId, message);
      break;
    case "task-result":
      jobs.agentMessage(link.computerId, message);
      break;
    case "inventory": {
      noteInventory(wiring, link.computerId, message.inventory);
      const change = { inventory: message.inventory, lastSeenAtMs: clock.epochMs() };
      registry
        .update(link.computerId, change)
        .catch((error: unknown) => log.error({ err: error }, "control"));
      break;
    }
    case "settings":
      management.receive(link, message);
      move.met(link);
      break;
    case "rogue-server": {
      const { address, fingerprint } = message;
      wiring.findings.seeRogueDiscovery({ address, fingerprint, agentAddress: link.address });
      management.receive(link, message);
      break;
    }
    case "settings-report":
    case "wake-sent":
    case "software":
    case "remote-refused":
      management.receive(link, message);
      break;
    case "menu-choice":
      wiring.initial.chosen(link, message);
      break;
    case "probe-ready":
    case "probe-result":
      probes.receive(link.computerId, message);
      break;
    case "hello":
    case "pong":
      break;
    case "imaging-join":
    case "imaging-ready":
    case "imaging-report":
    case "imaging-missing":
    case "imaging-done":
      imaging.receive(link, message).catch((error: unknown) => log.error({ err: error }, "imaging"));
  }
}

/** Boot tokens of its last life may be shown to a server this long after its start. */
const youngMs = 10 * 60_000;

/** The computers on record. A boot token is checked with the boot services, which have given it. */
export function createRegistry(given: {
  readonly parts: ServerParts;
  readonly directory: ComputerDirectory;
  readonly boot: BootServices;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly jobs: () => Pick<JobService, "hasPrebootWork" | "runsOfComputer">;
  readonly management: () => ManagementServices;
  readonly onPublished: (computerId: string) => void;
}): ComputerRegistry {
  const { directory, boot, findLink, jobs, onPublished } = given;
  const { clock, db } = given.parts;
  const startedAtMs = clock.epochMs();
  return new ComputerRegistry({
    store: new ComputerStore(db),
    directory,
    clock,
    findLink,
    hasPrebootWork: (computerId) => jobs().hasPrebootWork(computerId),
    installingSinceMs: (computerId) =>
      jobs()
        .runsOfComputer(computerId)
        .find(({ state }) => state === "installing")?.installer?.startedAtMs ?? null,
    onPublished,
    inviteFor: (token) => given.management().enrolment.inviteFor(token),
    onEnrolled: (computerId, reason) => given.management().history.note(computerId, "enrolment", reason),
    checkBootToken: (token, inventory) => {
      if (token === null) {
        return "absent";
      }
      const check = boot.tokens.check(token, inventory, clock.monotonicMs());
      const isYoung = clock.epochMs() - startedAtMs < youngMs;
      return check.type === "valid"
        ? "valid"
        : isYoung && check.reason === "unknown-token"
          ? "unknown-after-restart"
          : "invalid";
    },
  });
}

/** The networks that computers are on, as their agents say; bounded by what an inventory may hold. */
function listAgentNetworks(
  registry: ComputerRegistry,
  findLink: (computerId: string) => ControlLink | null,
): AgentNetwork[] {
  return registry.list().flatMap((computer) => {
    const link = findLink(computer.id);
    // Agents of before there were cards name their addresses alone.
    const cards = computer.inventory?.cards ?? [];
    const networks =
      cards.length > 0
        ? cards
        : (computer.inventory?.addresses ?? []).map((address) => ({ address, prefixLength: null }));
    return networks.flatMap(({ address, prefixLength }) =>
      address === null
        ? []
        : [
            {
              address,
              prefixLength,
              gatewayAddress: null,
              serverAddress: link?.address === address ? link.serverAddress : null,
            },
          ],
    );
  });
}

/** The segments of the site, from everything here that knows some. */
export function createSegments(given: {
  readonly parts: ServerParts;
  readonly registry: ComputerRegistry;
  readonly sightings: RelaySightings;
  readonly findLink: (computerId: string) => ControlLink | null;
}): SiteSegments {
  const { parts, registry, sightings, findLink } = given;
  return new SiteSegments({
    store: new SegmentStore(parts.db),
    interfaces: parts.interfaces,
    agents: () => listAgentNetworks(registry, findLink),
    relays: () => sightings.list(),
  });
}
