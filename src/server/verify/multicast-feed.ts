import type { MulticastSent } from "#engine/verify/evidence.ts";
import type { Flow } from "#plan/flow.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import { encodeProbeDatagram } from "#wire/probe/probe-datagram.ts";
import type { ProbePair } from "#wire/probe/probe-order.ts";

/** IP and UDP headers. */
const headersSizeBytes = 28;
const smallSizeBytes = 64;
const smallCount = 20;
const largeCount = 10;
const otherTtlCount = 3;
const roundDelayMs = 10;
/** Routers and switches need a moment to learn of new members; what is sent meanwhile is not counted. */
const warmUpCount = 12;
const warmUpDelayMs = 100;
/** Tried beside the plan's TTL, to say which one would do and how many routers there are. */
const risingTtls = [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64] as const;

/** Numbered datagrams to every (group, port) pair of the plan, from the interface that a segment is reached by. */
export class MulticastFeed {
  readonly #network: Network;
  readonly #flow: Flow;
  readonly #nic: NetworkInterface;
  readonly #pairs: readonly ProbePair[];

  constructor(network: Network, flow: Flow, nic: NetworkInterface) {
    this.#network = network;
    this.#flow = flow;
    this.#nic = nic;
    const ports = "from" in flow.ports ? [flow.ports.from] : flow.ports;
    this.#pairs = ports.flatMap((port) => flow.groups.map((group) => ({ group, port }))).slice(0, 16);
  }

  get pairs(): readonly ProbePair[] {
    return this.#pairs;
  }

  /** What a whole `send` puts on the wire. */
  get sent(): MulticastSent {
    const ttl = this.#flow.ttl ?? 1;
    return {
      ttl,
      smallCount,
      largeCount,
      largeSizeBytes: this.#nic.mtuBytes,
      otherTtls: risingTtls.filter((other) => other !== ttl),
      otherTtlCount,
    };
  }

  /** A few small ones, for a look at who gets them without having asked. */
  async sendFew(token: number): Promise<void> {
    const socket = await this.#open(this.#flow.ttl ?? 1);
    for (let sequence = 1; sequence <= 5; sequence += 1) {
      this.#sendToAll(socket, token, { sequence, sizeBytes: smallSizeBytes });
      await pause(roundDelayMs);
    }
    await socket.close();
  }

  async send(token: number): Promise<void> {
    const socket = await this.#open(this.#flow.ttl ?? 1);
    try {
      for (let count = 1; count <= warmUpCount; count += 1) {
        // Another token: whoever counts does not count these.
        this.#sendToAll(socket, (token + 1) >>> 0, { sequence: count, sizeBytes: smallSizeBytes });
        await pause(warmUpDelayMs);
      }
      for (let sequence = 1; sequence <= smallCount; sequence += 1) {
        this.#sendToAll(socket, token, { sequence, sizeBytes: smallSizeBytes });
        await pause(roundDelayMs);
      }
      const largeSizeBytes = this.#nic.mtuBytes - headersSizeBytes;
      for (let count = 1; count <= largeCount; count += 1) {
        this.#sendToAll(socket, token, { sequence: smallCount + count, sizeBytes: largeSizeBytes });
        await pause(roundDelayMs);
      }
      await this.#sendRisingTtls(token, smallCount + largeCount + 1);
    } finally {
      await socket.close();
    }
  }

  /** On the first pair only: the way is the same for all. */
  async #sendRisingTtls(token: number, firstSequence: number): Promise<void> {
    const [pair] = this.#pairs;
    if (pair === undefined) {
      return;
    }
    let sequence = firstSequence;
    for (const ttl of this.sent.otherTtls) {
      const socket = await this.#open(ttl);
      for (let count = 0; count < otherTtlCount; count += 1) {
        const bytes = encodeProbeDatagram({ token, sequence, ttl }, smallSizeBytes);
        socket.send(bytes, { address: pair.group, port: pair.port });
        sequence += 1;
      }
      await pause(roundDelayMs);
      await socket.close();
    }
  }

  #sendToAll(
    socket: UdpSocket,
    token: number,
    what: { readonly sequence: number; readonly sizeBytes: number },
  ): void {
    const probe = { token, sequence: what.sequence, ttl: this.#flow.ttl ?? 1 };
    const bytes = encodeProbeDatagram(probe, what.sizeBytes);
    for (const { group, port } of this.#pairs) {
      socket.send(bytes, { address: group, port });
    }
  }

  async #open(ttl: number): Promise<UdpSocket> {
    // The same flow but for the TTL, which is what is being measured.
    const grant = grantSocket(
      { ...this.#flow, ttl },
      {
        role: "server",
        side: "connect",
        interfaceName: this.#nic.name,
        localAddress: this.#nic.address,
        groups: this.#flow.groups,
      },
    );
    const socket = await this.#network.openUdp(grant);
    socket.onError(() => undefined);
    return socket;
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
