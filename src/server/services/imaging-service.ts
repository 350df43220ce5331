import type { Logger } from "pino";
import { decodeManifest } from "#engine/image/manifest.ts";
import { allocatePair, type GroupPort } from "#engine/multicast/allocate-pair.ts";
import { parityCountMax } from "#engine/multicast/parity-code.ts";
import type { LeftReason } from "#engine/multicast/pace.ts";
import { defaultSenderLimits } from "#engine/multicast/sender.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import type { Settings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import type { AgentImagingMessage, Ranges } from "#wire/control/imaging-messages.ts";
import type { TaskMessage, TransferAccess } from "#wire/control/task-message.ts";
import { dataHeaderSizeBytes, frameSizeBytesMax } from "#wire/multicast/data-packet.ts";
import type { ChunkStore } from "../chunk-store.ts";
import { measureCopy, type Participant, type Session, type SessionRecord } from "../imaging-record.ts";
import { Transmission } from "../imaging-session.ts";
import type { ControlLink } from "./control-service.ts";
import type { TransferService } from "./transfer-service.ts";

export type ImagingServiceOptions = {
  readonly flows: () => readonly Flow[];
  readonly interfaces: readonly NetworkInterface[];
};

export type ImagingServiceDependencies = {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly chunks: ChunkStore;
  readonly transfers: TransferService;
  readonly settings: () => Settings;
  readonly findLink: (computerId: string) => ControlLink | null;
  /** The canonical text of a manifest by its id. */
  readonly readManifest: (contentId: string) => Promise<string>;
  readonly onJoined: (
    sessionKey: string,
    computerIds: readonly string[],
    joined: number,
    expected: number,
  ) => void;
  readonly onStarted: (sessionKey: string, computerIds: readonly string[]) => void;
  readonly onFailed: (sessionKey: string, computerIds: readonly string[], reason: string) => void;
};

const endedCountMax = 100;
const reasons: Readonly<Record<LeftReason, string>> = {
  done: "it has everything",
  failed: "it gave up",
  silent: "it reported nothing for 15 s",
  "too-slow": "it held the others up",
};

/** Gathers the computers of a deploy task, then sends them the image once. */
export class ImagingService {
  readonly #options: ImagingServiceOptions;
  readonly #dependencies: ImagingServiceDependencies;
  /** Keyed by session key. BOUNDED by unfinished deploy tasks. */
  readonly #sessions = new Map<string, Promise<Session>>();
  /** Newest last, for people. BOUNDED by `endedCountMax` ended ones. */
  readonly #records: SessionRecord[] = [];
  #nextId: number;

  constructor(options: ImagingServiceOptions, dependencies: ImagingServiceDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    // A server that was restarted must not number its sessions like those of its last life.
    this.#nextId = (Math.floor(dependencies.clock.epochMs() / 100) % 0x7fffffff) + 1;
  }

  list(): readonly SessionRecord[] {
    return this.#records.toReversed();
  }

  /** A run needs its image: give its agent the task, or, when it is at work already, wait for it to join. */
  async join(given: {
    readonly sessionKey: string;
    readonly computerId: string;
    readonly taskKey: string;
    /** Id of the manifest: of an image, or of any other content of the store. */
    readonly contentId: string;
    /** The task as its agent is to get it, with the right to fetch by unicast. */
    readonly toTask: (transfer: TransferAccess) => TaskMessage["task"];
    readonly isResumed: boolean;
    readonly expected: number;
  }): Promise<void> {
    const session = await this.#sessionFor(given.sessionKey, given.contentId);
    const known = session.participants.get(given.computerId);
    const participant: Participant = {
      computerId: given.computerId,
      taskKey: given.taskKey,
      wanted: null,
      ticket: known?.ticket ?? null,
      isUnicast: false,
    };
    session.participants.set(given.computerId, participant);
    session.record.expected = Math.max(given.expected, session.participants.size);
    await this.#giveTask(session, participant, given.toTask);
  }

  /** How many computers may still come, while the session gathers. */
  async expect(sessionKey: string, count: number): Promise<void> {
    const session = await this.#sessions.get(sessionKey);
    if (session?.record.state === "gathering") {
      session.record.expected = Math.max(count, session.participants.size);
      this.#startIfReady(sessionKey, session);
    }
  }

  /** The run is over, one way or the other. */
  async leave(sessionKey: string, computerId: string): Promise<void> {
    const session = await this.#sessions.get(sessionKey);
    const participant = session?.participants.get(computerId);
    if (session === undefined || participant === undefined) {
      return;
    }
    session.participants.delete(computerId);
    session.transmission?.remove(computerId);
    if (participant.ticket !== null) {
      this.#dependencies.transfers.revoke(participant.ticket);
    }
    if (session.participants.size === 0) {
      this.#end(sessionKey, session);
    } else {
      this.#startIfReady(sessionKey, session);
    }
  }

  async receive(link: ControlLink, message: AgentImagingMessage): Promise<void> {
    for (const [sessionKey, pending] of this.#sessions) {
      const session = await pending;
      const participant = session.participants.get(link.computerId);
      if (participant === undefined) {
        continue;
      }
      if (message.type === "imaging-join") {
        if (message.key === participant.taskKey) {
          this.#joined(sessionKey, session, participant, message.wanted);
        }
      } else {
        session.transmission?.receive(link.computerId, message);
      }
    }
  }

  async stop(): Promise<void> {
    for (const pending of this.#sessions.values()) {
      const session = await pending;
      session.cancelTimer();
      session.transmission?.stop();
    }
  }

  #sessionFor(sessionKey: string, imageId: string): Promise<Session> {
    const known = this.#sessions.get(sessionKey);
    const session = known ?? this.#open(sessionKey, imageId);
    this.#sessions.set(sessionKey, session);
    return session;
  }

  async #open(sessionKey: string, imageId: string): Promise<Session> {
    const manifestText = await this.#dependencies.readManifest(imageId);
    const manifest = decodeManifest(manifestText);
    const record: SessionRecord = {
      id: this.#nextId,
      sessionKey,
      imageId,
      imageName: manifest.name,
      state: "gathering",
      pair: null,
      joined: 0,
      expected: 0,
      sentBytes: 0,
      copyBytes: 0,
      startedAtMs: null,
      endedAtMs: null,
      movedToUnicast: [],
    };
    this.#nextId += 1;
    this.#records.push(record);
    return {
      record,
      manifestText,
      manifest,
      chunkHashes: new Set(manifest.chunks.filter((chunkHash) => chunkHash !== null)),
      participants: new Map(),
      transmission: null,
      isTimeOver: false,
      cancelTimer: () => undefined,
    };
  }

  async #giveTask(
    session: Session,
    participant: Participant,
    toTask: (transfer: TransferAccess) => TaskMessage["task"],
  ): Promise<void> {
    const link = this.#dependencies.findLink(participant.computerId);
    if (link === null) {
      return;
    }
    const nic = this.#interfaceOf(link);
    const transfer = await this.#dependencies.transfers.issue({
      computerId: link.computerId,
      serverAddress: link.serverAddress,
      interfaceName: nic?.name ?? null,
      right: { type: "read", manifestText: session.manifestText, chunkHashes: session.chunkHashes },
    });
    participant.ticket = transfer.ticket;
    link.send({ type: "task", key: participant.taskKey, task: toTask(transfer) });
  }

  #interfaceOf(link: ControlLink): NetworkInterface | null {
    return this.#options.interfaces.find((nic) => nic.address === link.serverAddress) ?? null;
  }

  #joined(sessionKey: string, session: Session, participant: Participant, wanted: Ranges): void {
    participant.wanted = wanted;
    const { record, participants, transmission } = session;
    record.joined = [...participants.values()].filter((other) => other.wanted !== null).length;
    this.#dependencies.onJoined(sessionKey, [...participants.keys()], record.joined, record.expected);
    if (record.state === "sending" && transmission !== null && !participant.isUnicast) {
      this.#addMember(transmission, participant);
      this.#dependencies.onStarted(sessionKey, [participant.computerId]);
      return;
    }
    if (record.joined === 1) {
      const delayMs = this.#dependencies.settings()["imaging.startAfterMs"];
      session.cancelTimer();
      session.cancelTimer = this.#dependencies.clock.after(delayMs, () => {
        session.isTimeOver = true;
        this.#startIfReady(sessionKey, session);
      });
    }
    this.#startIfReady(sessionKey, session);
  }

  /** On count or on time, whichever comes first. */
  #startIfReady(sessionKey: string, session: Session): void {
    const { record } = session;
    const startCount = this.#dependencies.settings()["imaging.startCount"];
    const needed = startCount === 0 ? record.expected : Math.min(startCount, record.expected);
    const isDue = record.joined > 0 && (record.joined >= needed || session.isTimeOver);
    if ((record.state !== "gathering" && record.state !== "waiting-for-group") || !isDue) {
      return;
    }
    session.cancelTimer();
    this.#send(sessionKey, session).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#dependencies.log.error({ err: error }, "imaging: a session failed");
      this.#dependencies.onFailed(sessionKey, [...session.participants.keys()], reason);
      this.#end(sessionKey, session);
    });
  }

  async #send(sessionKey: string, session: Session): Promise<void> {
    const { record, participants } = session;
    const ready = [...participants.values()].filter((participant) => participant.wanted !== null);
    const readyIds = ready.map(({ computerId }) => computerId);
    const { "imaging.threshold": threshold } = this.#dependencies.settings();
    const isMulticast = threshold === 0 ? false : ready.length > (threshold ?? 1);
    if (!isMulticast) {
      record.state = "sending";
      record.startedAtMs = this.#dependencies.clock.epochMs();
      this.#dependencies.onStarted(sessionKey, readyIds);
      for (const participant of ready) {
        this.#moveToUnicast(
          session,
          participant,
          `${ready.length} computer${ready.length === 1 ? "" : "s"}, not worth a multicast`,
        );
      }
      return;
    }
    const settings = this.#dependencies.settings();
    const inUse = this.#records.flatMap((other) =>
      other.state === "sending" && other.pair !== null ? [other.pair] : [],
    );
    const pair = allocatePair(settings["imaging.groups"], settings["imaging.ports"], inUse);
    if (pair === null) {
      record.state = "waiting-for-group";
      return;
    }
    record.state = "sending";
    record.pair = pair;
    record.startedAtMs = this.#dependencies.clock.epochMs();
    const sockets = await this.#openSockets(ready, pair);
    try {
      const transmission = this.#createTransmission(session, pair, sockets);
      session.transmission = transmission;
      for (const participant of ready) {
        this.#addMember(transmission, participant);
      }
      this.#dependencies.onStarted(sessionKey, readyIds);
      record.copyBytes = await measureCopy(this.#dependencies.chunks, session.manifest, ready);
      const refresh = setInterval(() => {
        record.sentBytes = transmission.sentBytes;
      }, 250);
      await transmission.run();
      clearInterval(refresh);
      record.sentBytes = transmission.sentBytes;
    } finally {
      await Promise.all(sockets.map((socket) => socket.close()));
      this.#finishTransmission(session);
    }
  }

  #createTransmission(session: Session, pair: GroupPort, sockets: readonly UdpSocket[]): Transmission {
    const { clock, chunks, settings } = this.#dependencies;
    const mtuBytes = Math.min(1500, ...this.#options.interfaces.map((nic) => nic.mtuBytes));
    const blockSizeBytes = mtuBytes - 20 - 8 - dataHeaderSizeBytes;
    const limits = {
      ...defaultSenderLimits,
      maxMbps: settings()["imaging.maxMbps"],
      datagramSizeBytes: mtuBytes + 18,
      parityCountMax: parityCountMax(frameSizeBytesMax, blockSizeBytes),
    };
    return new Transmission(
      { sessionId: session.record.id, pair, manifest: session.manifest, blockSizeBytes, limits },
      {
        clock,
        chunks,
        sockets,
        onLeft: (computerId, reason) => {
          const participant = session.participants.get(computerId);
          if (participant !== undefined && reason !== "done") {
            this.#moveToUnicast(session, participant, reasons[reason]);
          }
        },
      },
    );
  }

  #addMember(transmission: Transmission, participant: Participant): void {
    const { computerId, taskKey, wanted } = participant;
    transmission.add(
      { computerId, taskKey, send: (message) => this.#dependencies.findLink(computerId)?.send(message) },
      wanted ?? [],
    );
  }

  async #openSockets(ready: readonly Participant[], pair: GroupPort): Promise<UdpSocket[]> {
    const links = ready
      .map(({ computerId }) => this.#dependencies.findLink(computerId))
      .filter((link) => link !== null);
    const nics = new Set(links.map((link) => this.#interfaceOf(link)).filter((nic) => nic !== null));
    return Promise.all(
      [...nics].map((nic) => {
        const grant = grantSocket(findFlow(this.#options.flows(), "imaging.data"), {
          role: "server",
          side: "connect",
          interfaceName: nic.name,
          localAddress: nic.address,
          groups: [pair.group],
        });
        return this.#dependencies.network.openUdp(grant, { sendBufferBytes: 4 << 20 });
      }),
    );
  }

  #moveToUnicast(session: Session, participant: Participant, reason: string): void {
    participant.isUnicast = true;
    session.record.movedToUnicast.push({ computerId: participant.computerId, reason });
    const link = this.#dependencies.findLink(participant.computerId);
    link?.send({ type: "imaging-use-unicast", key: participant.taskKey, reason });
  }

  /** The group is free again: whoever waits for one may start. */
  #finishTransmission(session: Session): void {
    session.transmission = null;
    session.record.state = "ended";
    session.record.endedAtMs = this.#dependencies.clock.epochMs();
    for (const [sessionKey, pending] of this.#sessions) {
      pending.then(
        (other) => {
          if (other.record.state === "waiting-for-group") {
            this.#startIfReady(sessionKey, other);
          }
        },
        (error: unknown) => this.#dependencies.log.error({ err: error }, "imaging"),
      );
    }
  }

  #end(sessionKey: string, session: Session): void {
    session.cancelTimer();
    session.transmission?.stop();
    this.#sessions.delete(sessionKey);
    if (session.record.state !== "sending" || session.transmission === null) {
      session.record.state = "ended";
      session.record.endedAtMs ??= this.#dependencies.clock.epochMs();
    }
    while (this.#records.filter((record) => record.state === "ended").length > endedCountMax) {
      this.#records.splice(
        this.#records.findIndex((record) => record.state === "ended"),
        1,
      );
    }
  }
}
