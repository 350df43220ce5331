import { hash } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { MulticastSession } from "#agent/imaging/multicast-session.ts";
import type { TaskContext } from "#agent/task.ts";
import type { Manifest } from "#engine/image/manifest.ts";
import type { LeftReason } from "#engine/multicast/pace.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { type OpenTransmission, openTransmission } from "#server/open-transmission.ts";
import type { LinkModel } from "#platform/sim/link-model.ts";
import { seededRandom } from "#platform/sim/seeded-random.ts";
import type { Attachment, SimulatedComputer } from "#platform/sim/simulated-computer.ts";
import { SimulatedNetwork } from "#platform/sim/simulated-network.ts";
import { VirtualClock } from "#platform/sim/virtual-clock.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { type ServerImagingMessage, toRanges } from "#wire/control/imaging-messages.ts";

const chunkSizeBytes = 256 * 1024;
const pair = { group: Ipv4Address.parse("224.2.0.2"), port: 401 };
/** One way on the control connection. */
const controlDelayMs = 0.5;

export type Receiver = {
  readonly name: string;
  readonly attachment: Attachment;
  readonly computer: SimulatedComputer;
  /** Chunks by index whose content was right. */
  readonly written: Set<number>;
  leftBecause: LeftReason | null;
  doneAtMs: number | null;
};

/**
 * The server's transmission and the agents' sessions, as they are, on a simulated network in virtual time. Only the
 * control connections are calls, each half a millisecond late, and the disks are memory.
 */
export class SimulatedRoom {
  readonly clock = new VirtualClock();
  readonly receivers: Receiver[] = [];
  readonly manifest: Manifest;
  readonly #network: SimulatedNetwork;
  readonly #server: SimulatedComputer;
  /** Keyed by chunk hash. */
  readonly #frames = new Map<string, Buffer>();
  readonly #link: Partial<LinkModel>;
  #open: OpenTransmission | null = null;

  constructor(seed: number, chunkCount: number, link: Partial<LinkModel>) {
    this.#network = new SimulatedNetwork({ clock: this.clock, seed });
    this.#link = link;
    this.#server = this.#network.computer("server");
    this.#network.attach(this.#server, "room", { interfaceName: "eth0", address: "10.9.0.1/24" });
    const random = seededRandom(seed);
    const chunks = Array.from({ length: chunkCount }, () => {
      const content = Buffer.alloc(chunkSizeBytes);
      for (let offset = 0; offset < chunkSizeBytes; offset += 4) {
        content.writeUInt32LE(Math.floor(random() * 2 ** 32), offset);
      }
      const chunkHash = hash("sha256", content);
      this.#frames.set(chunkHash, zstdCompressSync(content));
      return chunkHash;
    });
    const sizeBytes = chunkCount * chunkSizeBytes;
    this.manifest = {
      version: 1,
      name: "sim",
      sizeBytes,
      chunkSizeBytes,
      hashAlgorithm: "sha256",
      chunks,
    };
  }

  /** Bytes of one copy as stored. */
  get copyBytes(): number {
    return [...this.#frames.values()].reduce((sum, frame) => sum + frame.byteLength, 0);
  }

  get sentBytes(): number {
    return this.#open?.transmission.sentBytes ?? 0;
  }

  /** Opens the transmission with its first receivers, and runs it. */
  async start(names: readonly string[]): Promise<void> {
    const network = this.#server;
    this.#open = await openTransmission(
      {
        sessionId: 9,
        pair,
        manifest: this.manifest,
        flow: findFlow(computeFlows(classicSettings, { consolePort: 8443 }), "imaging.data"),
        interfaces: network.interfaces().filter(({ isLoopback }) => !isLoopback),
        maxMbps: 0,
      },
      {
        network,
        clock: this.clock,
        chunks: { readFrame: async (chunkHash) => this.#frames.get(chunkHash) ?? Buffer.alloc(0) },
        onLeft: (name, reason) => {
          const receiver = this.receivers.find((one) => one.name === name);
          if (receiver !== undefined) {
            receiver.leftBecause = reason;
            receiver.doneAtMs = this.clock.monotonicMs();
          }
        },
      },
    );
    for (const name of names) {
      this.join(name);
    }
    this.#open.transmission.run().catch((error: unknown) => {
      throw error;
    });
  }

  join(name: string, link: Partial<LinkModel> = {}): Receiver {
    const computer = this.#network.computer(name);
    const attachment = this.#network.attach(computer, "room", {
      interfaceName: "eth0",
      address: `10.9.0.${this.receivers.length + 2}/24`,
      link: { ...this.#link, ...link },
    });
    const receiver: Receiver = {
      name,
      computer,
      attachment,
      written: new Set(),
      leftBecause: null,
      doneAtMs: null,
    };
    this.receivers.push(receiver);
    this.#connect(receiver);
    return receiver;
  }

  /** Its power is cut. */
  kill(receiver: Receiver): void {
    receiver.attachment.link.model = { ...receiver.attachment.link.model, isCut: true };
  }

  #connect(receiver: Receiver): void {
    const isDead = (): boolean => receiver.attachment.link.model.isCut;
    const context: TaskContext = {
      key: "task",
      network: receiver.computer,
      serverAddress: () => Ipv4Address.parse("10.9.0.1"),
      siteKeyFingerprint: "",
      disks: () => [],
      identity: () => ({ key: "", cert: "" }),
      send: (message) => {
        this.clock.after(controlDelayMs, () => {
          if (!isDead() && message.type !== "inventory") {
            this.#open?.transmission.receive(receiver.name, message);
          }
        });
      },
      onMessage: () => undefined,
      report: () => undefined,
      say: () => undefined,
      signal: new AbortController().signal,
    };
    const write = async (index: number, frame: Uint8Array): Promise<boolean> => {
      const isGenuine = hash("sha256", zstdDecompressSync(frame)) === this.manifest.chunks[index];
      if (isGenuine) {
        receiver.written.add(index);
      }
      return isGenuine;
    };
    let work: Promise<MulticastSession | null> = Promise.resolve(null);
    const wanted = [...this.manifest.chunks.keys()];
    const receive = async (
      session: MulticastSession | null,
      message: ServerImagingMessage,
    ): Promise<MulticastSession | null> => {
      if (message.type === "imaging-session") {
        return MulticastSession.join(message, context, wanted, { write, onEnd: () => undefined }, this.clock);
      }
      if (message.type === "imaging-round-end" && !isDead()) {
        await session?.answerRound(message);
      }
      return session;
    };
    this.#open?.transmission.add(
      {
        computerId: receiver.name,
        taskKey: "task",
        send: (message) => {
          this.clock.after(controlDelayMs, () => {
            work = work.then((session) => receive(session, message));
          });
        },
      },
      toRanges(wanted),
    );
  }

  /** Until every receiver has left the session, or a virtual hour has passed. */
  async play(at: ReadonlyMap<number, () => void> = new Map()): Promise<void> {
    for (const [delayMs, work] of at) {
      this.clock.after(delayMs, work);
    }
    while (this.receivers.some(({ leftBecause }) => leftBecause === null)) {
      await this.clock.advance(50);
      if (this.clock.monotonicMs() > 3_600_000) {
        return;
      }
    }
  }
}
