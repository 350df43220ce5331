import { createHash, randomBytes, randomInt } from "node:crypto";
import type { ClosedPortName, SegmentEvidence, Sighted } from "#engine/verify/evidence.ts";
import { neededFlows } from "#engine/verify/judge-segment.ts";
import { isLate } from "#engine/verify/judge-tcp.ts";
import { triedPacketSizes } from "#engine/verify/path-mtu.ts";
import type { Flow, FlowId } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import type { Segment } from "#plan/segment.ts";
import type { Network, NetworkInterface } from "#platform/network.ts";
import type { ProbeKind, ProbeOrder } from "#wire/probe/probe-order.ts";
import { probeMac } from "#wire/probe/pxe-probe-packet.ts";
import type { BootFiles } from "../boot-files.ts";
import { sendMagicPackets } from "../send-magic-packets.ts";
import type { ServiceFailure } from "../running-services.ts";
import type { ControlLink } from "../services/control-service.ts";
import type { RemoteService } from "../services/remote-service.ts";
import type { TransferService } from "../services/transfer-service.ts";
import { MulticastFeed } from "./multicast-feed.ts";
import { agentHasLeft, agentWasSilent, type ProbeDesk } from "./probe-desk.ts";
import { probeFile, probeFilePrefix, type ProbeToken, type ProbeWatch } from "./probe-watch.ts";

export type ProbeSegmentDependencies = {
  readonly network: Network;
  readonly interfaces: readonly NetworkInterface[];
  readonly desk: ProbeDesk;
  readonly watch: ProbeWatch;
  readonly bootFiles: BootFiles;
  readonly transfers: TransferService;
  readonly remote: Pick<RemoteService, "openProbe">;
  readonly consolePort: number;
  /** Whether it is still the connection of its computer. */
  readonly isStanding: (link: ControlLink) => boolean;
  /** Services that do not follow the plan now. */
  readonly failures: () => readonly ServiceFailure[];
};

/** Below 1025: no dynamic range includes it. */
const unusedPort = 1019;
const manifestText = "portolan probe\n";
const partSizeBytesMax = 4096;
/** What firmware asks at least, and what fills an Ethernet frame. */
const blockSizes = [512, 1468] as const;

function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What is slow once may have met a busy moment of either end; it is the network only when it is slow again. */
async function twiceIfLate<Tried>(
  attempt: () => Promise<Tried>,
  wasLate: (tried: Tried) => boolean,
): Promise<Tried> {
  const first = await attempt();
  return wasLate(first) ? attempt() : first;
}

/** Has one agent of a segment try everything that the segment needs, and watches this end meanwhile. */
export class SegmentProbe {
  readonly #dependencies: ProbeSegmentDependencies;
  readonly #segment: Segment;
  readonly #link: ControlLink;
  readonly #flows: readonly Flow[];
  readonly #needed: ReadonlySet<FlowId>;
  readonly #onStep: (kind: ProbeKind) => void;
  readonly #mac = probeMac(randomInt(1, 0x10000));
  readonly #nonce = randomBytes(16).toString("hex");
  readonly #fileName = `${probeFilePrefix}${randomBytes(4).toString("hex")}`;
  readonly #token = randomInt(0, 0xfffffff0);
  #reportedCount = 0;
  #silentCount = 0;

  constructor(
    given: {
      readonly segment: Segment;
      readonly link: ControlLink;
      readonly flows: readonly Flow[];
      readonly onStep: (kind: ProbeKind) => void;
    },
    dependencies: ProbeSegmentDependencies,
  ) {
    this.#dependencies = dependencies;
    this.#segment = given.segment;
    this.#link = given.link;
    this.#flows = given.flows;
    this.#onStep = given.onStep;
    this.#needed = new Set(neededFlows({ flows: given.flows, segment: given.segment }).map(({ id }) => id));
  }

  async run(name: string): Promise<SegmentEvidence> {
    const { watch } = this.#dependencies;
    const tokens: Record<keyof SegmentEvidence["arrivals"], ProbeToken> = {
      discover: `mac:67:${this.#mac}`,
      bootServer: `mac:4011:${this.#mac}`,
      discovery: `nonce:${this.#nonce}`,
      tftp: `file:${this.#fileName}`,
    };
    for (const token of Object.values(tokens)) {
      watch.expect(token);
    }
    const unicast = await this.#tryUnicast();
    const multicast = await this.#tryMulticast();
    const { computerId, environment, address, serverAddress, interfaceName } = this.#link;
    return {
      segment: this.#segment,
      prober: { computerId, name, environment, address, serverAddress, interfaceName },
      flows: this.#flows,
      unserved: this.#dependencies.failures(),
      closedPorts: this.#closedPorts(),
      expectedFile: { sizeBytes: probeFile.byteLength, sha256: sha256(probeFile) },
      expectedManifest: { sha256: sha256(manifestText) },
      ...unicast,
      ...multicast,
      arrivals: {
        discover: watch.take(tokens.discover),
        bootServer: watch.take(tokens.bootServer),
        discovery: watch.take(tokens.discovery),
        tftp: watch.take(tokens.tftp),
      },
    };
  }

  /** Everything that does not disturb each other, at once. */
  async #tryUnicast() {
    const part = this.#choosePart();
    const identity = { mac: this.#mac, transactionId: randomInt(0, 0xfffffff0) };
    const discovery = this.#flow("agent.discovery");
    const [control, closed, http, tftp, dhcp, bootServer, discovered, transfer, remote] = await Promise.all([
      twiceIfLate(
        () => this.#ask("agent.control", { kind: "control", port: this.#portOf("agent.control") }),
        isLate,
      ),
      this.#ask(null, { kind: "closed-ports", ports: this.#closedPorts().map(({ port }) => port) }),
      twiceIfLate(
        () => this.#ask("boot.http", { kind: "http", port: this.#portOf("boot.http"), ...part.range }),
        isLate,
      ),
      this.#ask("boot.tftp", {
        kind: "tftp",
        fileName: this.#fileName,
        blockSizes,
        requestSizes: triedPacketSizes,
      }),
      this.#ask("boot.dhcp", { kind: "dhcp", ...identity }),
      this.#ask("boot.server", { kind: "boot-server", ...identity }),
      discovery?.groups[0] === undefined
        ? null
        : this.#ask("agent.discovery", {
            kind: "discovery",
            group: discovery.groups[0],
            port: this.#portOf("agent.discovery"),
            ttl: discovery.ttl ?? 1,
            nonce: this.#nonce,
          }),
      twiceIfLate(
        () => this.#tryTransfer(),
        ({ transfer }) => isLate(transfer),
      ),
      twiceIfLate(
        () => this.#tryRemote(),
        ({ remote }) => isLate(remote),
      ),
    ]);
    return {
      control,
      closed,
      http,
      expectedPart: part.expected,
      tftp,
      dhcp,
      bootServer,
      discovery: discovered,
      ...transfer,
      ...remote,
    };
  }

  async #tryTransfer(): Promise<Pick<SegmentEvidence, "transfer" | "transferPort">> {
    const { computerId, serverAddress } = this.#link;
    const { transfers } = this.#dependencies;
    const { port, ticket } = await transfers.issue({
      computerId,
      serverAddress,
      interfaceName: this.#interface()?.name ?? null,
      right: { type: "read", manifestText, chunkHashes: new Set() },
    });
    try {
      const transfer = await this.#ask("transfer.data", { kind: "transfer", port, ticket });
      return { transfer, transferPort: port };
    } finally {
      transfers.revoke(ticket);
    }
  }

  /** Inside the control port it has no sockets of its own to try. */
  async #tryRemote(): Promise<Pick<SegmentEvidence, "remote" | "remotePort" | "isRemoteJoined">> {
    if (this.#flow("remote.control")?.carrier !== null) {
      return { remote: null, remotePort: null, isRemoteJoined: false };
    }
    const door = await this.#dependencies.remote.openProbe(this.#link);
    try {
      const { port, ticket } = door;
      const remote = await this.#ask("remote.control", { kind: "remote", port, ticket });
      return { remote, remotePort: port, isRemoteJoined: door.isJoined() };
    } finally {
      door.close();
    }
  }

  async #tryMulticast(): Promise<Pick<SegmentEvidence, "flood" | "multicast" | "multicastSent" | "wake">> {
    const { network } = this.#dependencies;
    const nic = this.#interface();
    const flow = findFlow(this.#flows, "imaging.data");
    if (nic === null) {
      const reason = "the interface of this agent's connection is not one that the server serves";
      const notTried = { type: "not-tried", reason } as const;
      const multicastSent = {
        ttl: 1,
        smallCount: 0,
        largeCount: 0,
        largeSizeBytes: 0,
        otherTtls: [],
        otherTtlCount: 0,
      };
      return { flood: notTried, multicast: notTried, multicastSent, wake: notTried };
    }
    const feed = new MulticastFeed(network, flow, nic);
    const order = { kind: "multicast", pairs: feed.pairs } as const;
    const flood = await this.#ask("imaging.data", { ...order, token: this.#token, isJoined: false }, () =>
      feed.sendFew(this.#token),
    );
    const joinedToken = this.#token + 2;
    const [multicast, wake] = await Promise.all([
      this.#ask("imaging.data", { ...order, token: joinedToken, isJoined: true }, () =>
        feed.send(joinedToken),
      ),
      this.#tryWake(nic),
    ]);
    return { flood, multicast, multicastSent: feed.sent, wake };
  }

  #tryWake(nic: NetworkInterface): Promise<Sighted<"wake">> {
    const { network } = this.#dependencies;
    if (this.#segment.interfaceName === null) {
      return Promise.resolve(null);
    }
    const port = this.#portOf("wake.magic-packet");
    return this.#ask("wake.magic-packet", { kind: "wake", port, mac: this.#mac }, async () => {
      await sendMagicPackets({
        network,
        flows: () => this.#flows,
        interfaces: [nic],
        macs: [this.#mac, this.#mac],
        port,
        directed: [],
        secureOnPassword: null,
      });
    });
  }

  /** `null` when the segment does not need the flow. */
  async #ask<Kind extends ProbeKind>(
    flowId: FlowId | null,
    order: Extract<ProbeOrder, { readonly kind: Kind }>,
    feed: (() => Promise<void>) | null = null,
  ): Promise<Sighted<Kind>> {
    if (flowId !== null && !this.#needed.has(flowId)) {
      return null;
    }
    if (!this.#dependencies.isStanding(this.#link)) {
      return { type: "not-tried", reason: agentHasLeft };
    }
    const bootAddress = this.#interface()?.address ?? this.#link.serverAddress;
    if (flowId?.startsWith("boot.") === true && bootAddress !== this.#link.serverAddress) {
      const reason = `boot services answer at ${bootAddress}, and agents of this interface are connected to ${this.#link.serverAddress}`;
      return { type: "not-tried", reason };
    }
    if (!this.#link.hello.probes.includes(order.kind)) {
      return {
        type: "not-tried",
        reason: `the agent is too old for the probe "${order.kind}"; install this server's agent on its computer`,
      };
    }
    // An agent that has reported nothing at all is gone: its time is not waited out again for each probe to come.
    const isGone = this.#silentCount > 0 && this.#reportedCount === 0;
    const outcome = isGone
      ? ({ type: "not-tried", reason: agentWasSilent } as const)
      : await this.#dependencies.desk.ask<Kind>(this.#link, order, feed);
    if (outcome.type === "not-tried" && outcome.reason === agentWasSilent) {
      this.#silentCount += 1;
    } else {
      this.#reportedCount += 1;
    }
    this.#onStep(order.kind);
    return outcome;
  }

  #flow(id: FlowId): Flow | null {
    return this.#flows.find((flow) => flow.id === id) ?? null;
  }

  #portOf(id: FlowId): number {
    const flow = findFlow(this.#flows, id);
    return ("from" in flow.ports ? flow.ports.from : flow.ports[0]) ?? 0;
  }

  #interface(): NetworkInterface | null {
    return this.#dependencies.interfaces.find((nic) => nic.name === this.#link.interfaceName) ?? null;
  }

  #closedPorts(): readonly { readonly name: ClosedPortName; readonly port: number }[] {
    return [
      { name: "console", port: this.#dependencies.consolePort },
      { name: "database", port: 5432 },
      { name: "ssh", port: 22 },
      { name: "unused", port: unusedPort },
    ];
  }

  /** The beginning of a boot file. Without boot files, a script for nobody: also its refusal shows that the way is open. */
  #choosePart(): {
    readonly range: { readonly path: string; readonly firstByte: number; readonly lastByte: number };
    readonly expected: SegmentEvidence["expectedPart"];
  } {
    const { bootFiles } = this.#dependencies;
    const files = [...bootFiles.names()].map((name) => bootFiles.find(name));
    // Not to its last byte: that would count as a computer having read it.
    const file = files.find((candidate) => candidate?.bytes !== null && (candidate?.sizeBytes ?? 0) > 64);
    if (file?.bytes === null || file?.bytes === undefined) {
      return { range: { path: "/boot/script.ipxe", firstByte: 0, lastByte: 63 }, expected: null };
    }
    const sizeBytes = Math.min(partSizeBytesMax, file.sizeBytes - 1);
    const bytes = file.bytes.subarray(0, sizeBytes);
    return {
      range: { path: `/boot/${file.name}`, firstByte: 0, lastByte: sizeBytes - 1 },
      expected: { sizeBytes, sha256: sha256(bytes) },
    };
  }
}
