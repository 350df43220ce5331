import { allocatePair, type GroupPort } from "#engine/multicast/allocate-pair.ts";
import type { LeftReason } from "#engine/multicast/pace.ts";
import { findFlow } from "#plan/flows.ts";
import type { NetworkInterface } from "#platform/network.ts";
import type { AgentImagingMessage, Ranges } from "#wire/control/imaging-messages.ts";
import type { TaskMessage, TransferAccess } from "#wire/control/task-message.ts";
import type { ImagingServiceDependencies, ImagingServiceOptions } from "../imaging-dependencies.ts";
import {
  createSession,
  isDueToStart,
  measureCopy,
  type Participant,
  type Session,
  type ReceiverLink,
  type SessionRecord,
  forgetOldest,
  leftReasonTexts,
  noteAlone,
  noteProgress,
} from "../imaging-record.ts";
import type { Transmission } from "../imaging-session.ts";
import { giveContentTask } from "../give-content-task.ts";
import { openTransmission } from "../open-transmission.ts";

/** Gathers the computers of a deploy task, then sends them the image once. */
export class ImagingService {
  readonly #options: ImagingServiceOptions;
  readonly #dependencies: ImagingServiceDependencies;
  /** Keyed by session key. BOUNDED by unfinished deploy tasks. */
  readonly #sessions = new Map<string, Promise<Session>>();
  /** Newest last, for people. BOUNDED by `forgetOldest`. */
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
    /** Multicast is known not to reach it: it fetches for itself at once. `null`: it may share. */
    readonly unicastReason: string | null;
  }): Promise<void> {
    const session = await this.#sessionFor(given.sessionKey, given.contentId).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#dependencies.onFailed(given.sessionKey, [given.computerId], reason);
    });
    if (session === undefined) {
      return;
    }
    session.record.computerIds.add(given.computerId);
    const participant: Participant = {
      computerId: given.computerId,
      taskKey: given.taskKey,
      wanted: null,
      ticket: session.participants.get(given.computerId)?.ticket ?? null,
      ...{ isUnicast: false, unicastReason: given.unicastReason },
    };
    session.participants.set(given.computerId, participant);
    session.record.expected = Math.max(given.expected, session.participants.size);
    // Not waited for: a run must stay free to be cancelled while chunks come from another server.
    const interfaceOf = this.#interfaceOf.bind(this);
    giveContentTask(session, participant, { ...this.#dependencies, interfaceOf, toTask: given.toTask }).catch(
      (error: unknown) => this.#fail(given.sessionKey, session, error),
    );
  }

  /** How many computers may still come, while the session gathers. */
  async expect(sessionKey: string, count: number): Promise<void> {
    const session = await this.#sessions.get(sessionKey);
    if (session?.record.state === "fetching" || session?.record.state === "gathering") {
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

  async receive(link: ReceiverLink, message: AgentImagingMessage): Promise<void> {
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

  /** Its agent fetches for itself, having heard no multicast: nothing is sent for its sake any more. */
  async fetchesAlone(computerId: string, taskKey: string): Promise<void> {
    const sessions = await Promise.all(this.#sessions.values());
    sessions.forEach((session) => noteAlone(session, computerId, taskKey));
  }

  /** While it is paused a session does not start, or stops sending. Receivers keep what they have. */
  async setPaused(id: number, isPaused: boolean): Promise<SessionRecord | null> {
    const [sessionKey, session] = (await this.#find(id)) ?? [];
    if (sessionKey === undefined || session === undefined) {
      return null;
    }
    session.record.isPaused = isPaused;
    if (session.transmission !== null) {
      session.transmission.isPaused = isPaused;
    }
    this.#startIfReady(sessionKey, session);
    return session.record;
  }

  /** Ends a session: the task fails on every computer that has not everything. `null`: no such session is running. */
  async cancel(id: number, by: string): Promise<SessionRecord | null> {
    const [sessionKey, session] = (await this.#find(id)) ?? [];
    if (sessionKey === undefined || session === undefined) {
      return null;
    }
    const computerIds = [...session.participants.keys()];
    this.#dependencies.onFailed(sessionKey, computerIds, `imaging session ${id} was cancelled by ${by}`);
    this.#end(sessionKey, session);
    return session.record;
  }

  /** What a session sends was still coming, and will not be complete. */
  loseContent(contentId: string, reason: string): void {
    for (const [sessionKey, pending] of this.#sessions) {
      pending
        .then((session) => {
          if (session.record.imageId === contentId) {
            this.#fail(sessionKey, session, new Error(reason));
          }
        })
        .catch((error: unknown) => this.#dependencies.log.error({ err: error }, "imaging"));
    }
  }

  async stop(): Promise<void> {
    for (const pending of this.#sessions.values()) {
      const session = await pending;
      session.cancelTimer();
      session.transmission?.stop();
    }
  }

  async #find(id: number): Promise<readonly [sessionKey: string, session: Session] | null> {
    for (const [sessionKey, pending] of this.#sessions) {
      const session = await pending;
      if (session.record.id === id && session.record.state !== "ended") {
        return [sessionKey, session];
      }
    }
    return null;
  }

  #sessionFor(sessionKey: string, imageId: string): Promise<Session> {
    const known = this.#sessions.get(sessionKey);
    const session = known ?? this.#open(sessionKey, imageId);
    this.#sessions.set(sessionKey, session);
    session.catch(() => this.#sessions.delete(sessionKey));
    return session;
  }

  async #open(sessionKey: string, imageId: string): Promise<Session> {
    const manifestText = await this.#dependencies.readManifest(imageId);
    const session = createSession(this.#nextId, sessionKey, imageId, manifestText);
    this.#nextId += 1;
    this.#records.push(session.record);
    session.whenComplete = this.#complete(sessionKey, session);
    return session;
  }

  /** What it sends may be in the store of another server of the site. */
  async #complete(sessionKey: string, session: Session): Promise<boolean> {
    const { record } = session;
    try {
      await this.#dependencies.completeContent(record.imageId, (progress) => {
        record.fetched = progress;
      });
      record.state = record.state === "fetching" ? "gathering" : record.state;
      return true;
    } catch (error) {
      this.#fail(sessionKey, session, error);
      return false;
    }
  }

  #interfaceOf(link: ReceiverLink): NetworkInterface | null {
    return this.#options.interfaces.find((nic) => nic.name === link.interfaceName) ?? null;
  }

  #joined(sessionKey: string, session: Session, participant: Participant, wanted: Ranges): void {
    participant.wanted = wanted;
    const { record, participants, transmission } = session;
    record.joined = [...participants.values()].filter((other) => other.wanted !== null).length;
    this.#dependencies.onJoined(sessionKey, [...participants.keys()], record.joined, record.expected);
    if (participant.unicastReason !== null) {
      this.#dependencies.onStarted(sessionKey, [participant.computerId]);
      this.#moveToUnicast(session, participant, participant.unicastReason);
    } else if (record.state === "sending" && transmission !== null && !participant.isUnicast) {
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

  #startIfReady(sessionKey: string, session: Session): void {
    const startCount = this.#dependencies.settings()["imaging.startCount"];
    if (!isDueToStart(session, startCount)) {
      return;
    }
    session.cancelTimer();
    this.#send(sessionKey, session).catch((error: unknown) => this.#fail(sessionKey, session, error));
  }

  #fail(sessionKey: string, session: Session, error: unknown): void {
    if (!this.#sessions.has(sessionKey)) {
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.#dependencies.log.error({ err: error }, "imaging: a session failed");
    this.#dependencies.onFailed(sessionKey, [...session.participants.keys()], reason);
    this.#end(sessionKey, session);
  }

  async #send(sessionKey: string, session: Session): Promise<void> {
    const { record, participants } = session;
    const ready = [...participants.values()].filter(({ wanted, isUnicast }) => wanted !== null && !isUnicast);
    const readyIds = ready.map(({ computerId }) => computerId);
    const threshold = this.#dependencies.settings()["imaging.threshold"] ?? 1;
    if (threshold === 0 || ready.length <= threshold) {
      record.state = "sending";
      record.startedAtMs = this.#dependencies.clock.epochMs();
      this.#dependencies.onStarted(sessionKey, readyIds);
      const why = `${ready.length} computer${ready.length === 1 ? "" : "s"}, not worth a multicast`;
      ready.forEach((participant) => this.#moveToUnicast(session, participant, why));
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
    const { transmission, sockets } = await this.#openTransmission(session, pair);
    const refresh = setInterval(() => noteProgress(record, transmission), 250);
    try {
      session.transmission = transmission;
      transmission.isPaused = record.isPaused;
      for (const participant of ready) {
        this.#addMember(transmission, participant);
      }
      this.#dependencies.onStarted(sessionKey, readyIds);
      const { chunks } = this.#dependencies;
      record.copyBytes = await measureCopy(chunks, session.manifest, ready);
      await transmission.run();
      record.copyBytes ||= await measureCopy(chunks, session.manifest, ready);
    } finally {
      clearInterval(refresh);
      noteProgress(record, transmission);
      await Promise.all(sockets.map((socket) => socket.close()));
      this.#finishTransmission(session);
    }
  }

  /** On the segments of all that may still join. */
  #openTransmission(session: Session, pair: GroupPort): ReturnType<typeof openTransmission> {
    const { network, clock, chunks, settings } = this.#dependencies;
    const interfaces = new Set<NetworkInterface>();
    for (const computerId of session.participants.keys()) {
      const link = this.#dependencies.findLink(computerId);
      const nic = link === null ? null : this.#interfaceOf(link);
      if (nic !== null) {
        interfaces.add(nic);
      }
    }
    const onLeft = (computerId: string, reason: LeftReason): void => {
      const participant = session.participants.get(computerId);
      if (participant !== undefined && reason !== "done") {
        this.#moveToUnicast(session, participant, leftReasonTexts[reason]);
      }
    };
    return openTransmission(
      {
        sessionId: session.record.id,
        pair,
        manifest: session.manifest,
        flow: findFlow(this.#options.flows(), "imaging.data"),
        interfaces: [...interfaces],
        maxMbps: settings()["imaging.maxMbps"],
      },
      { network, clock, chunks, onLeft },
    );
  }

  #addMember(transmission: Transmission, participant: Participant): void {
    const { computerId, taskKey, wanted } = participant;
    transmission.add(
      { computerId, taskKey, send: (message) => this.#dependencies.findLink(computerId)?.send(message) },
      wanted ?? [],
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
    forgetOldest(this.#records);
  }
}
