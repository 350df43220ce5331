import { randomUUID } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { countFailures, defaultRetryLimits, retryDelayMs } from "#engine/agent/retry-delay.ts";
import type { ServerPlace } from "#engine/agent/server-search.ts";
import type { Network } from "#platform/network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { encodeFrame, FrameReader, frameSizeBytesMax } from "#wire/control/frame.ts";
import {
  type AgentMessage,
  decodeServerMessage,
  type EnrollMessage,
  type ServerMessage,
} from "#wire/control/message.ts";
import { probeKinds } from "#wire/probe/probe-order.ts";
import type { Inventory } from "#wire/control/inventory.ts";
import { connectServer } from "./connect-server.ts";
import type { RogueServer } from "./find-server.ts";
import type { AgentIdentity } from "./identity.ts";
import { PinError } from "#platform/pinned-tls.ts";
import { ProbeRunner } from "./probe/probe-runner.ts";
import { RemoteControl } from "./remote/remote-control.ts";
import { RogueList } from "./rogue-list.ts";
import { type SettingsKeeper, settingsOf } from "./settings-keeper.ts";
import { MenuDesk } from "./menu-desk.ts";
import { flushSocket } from "./flush-socket.ts";
import { SoftwareTeller } from "./software.ts";
import { TaskRunner } from "./task-runner.ts";
import { wakePeer } from "./wake-peer.ts";

export type AgentDependencies = {
  readonly network: Network;
  readonly identity: AgentIdentity;
  readonly settings: SettingsKeeper;
  /** Where to go this time, after so many attempts that failed. The error's message says why there is nowhere. */
  readonly findServer: (failures: number, onRogue: (rogue: RogueServer) => void) => Promise<ServerPlace>;
  /** What this computer is, read anew each time. */
  readonly readInventory: () => Inventory;
  /** Connections come from this address of the computer; left out: from the one its routes choose. */
  readonly localAddress?: Ipv4Address;
  readonly say: (text: string) => void;
};

const silenceMsMax = 60_000;

/** Keeps one control connection to the site's server, enrols when it must, and does the tasks it is given. */
export class Agent {
  readonly #dependencies: AgentDependencies;
  /** Changes with every process, so that the server tells a restart from a reconnection. */
  readonly #agentRunId = randomUUID();
  readonly #tasks: TaskRunner;
  readonly #probes: ProbeRunner;
  #place: ServerPlace | null = null;
  #socket: TLSSocket | null = null;
  /** The connection of the moment, authenticated or not. */
  #anySocket: TLSSocket | null = null;
  readonly #remote: RemoteControl;
  readonly #rogues = new RogueList();
  readonly #menu: MenuDesk;
  readonly #software: SoftwareTeller;
  #isStopped = false;
  /** Connect at once: with the certificate it was given, or with other settings. */
  #isNewStart = false;
  #lastSaid = "";
  #lastProblem = "";
  #trialTimer: NodeJS.Timeout | undefined;
  #endPause: () => void = () => undefined;

  constructor(dependencies: AgentDependencies) {
    this.#dependencies = dependencies;
    const { network, identity, say, settings } = dependencies;
    const { environment, stateDir, siteKeyFingerprint } = settings.current();
    const identityPem = () => ({ key: identity.keyPem, cert: identity.certificatePem ?? "" });
    this.#probes = new ProbeRunner({
      ...{ network, siteKeyFingerprint, identity: identityPem },
      connection: () => ({
        serverAddress: this.#requirePlace().address,
        localAddress: Ipv4Address.parse((this.#socket?.localAddress ?? "").replace(/^::ffff:/, "")),
      }),
      send: (message) => this.#send(message),
    });
    this.#tasks = new TaskRunner({
      ...{ environment, stateDir, network, siteKeyFingerprint, identity: identityPem, say },
      serverAddress: () => this.#requirePlace().address,
      disks: () => dependencies.readInventory().disks,
      send: (message) => this.#send(message),
      onFinished: () => this.#software.tell(),
      flush: () => flushSocket(this.#socket),
    });
    this.#menu = new MenuDesk({ environment, send: (message) => this.#send(message), say });
    this.#software = new SoftwareTeller({ environment, send: (message) => this.#send(message), say });
    this.#remote = new RemoteControl({
      policy: () => settings.current().remoteControl,
      showsNotice: () => settings.current().remoteNotice,
      wantedDisplay: () => settings.current().remoteDisplay,
      connect: (port) => this.#connect("remote.control", { ...this.#requirePlace(), port }),
      send: (message) => this.#send(message),
      say,
    });
  }

  /** Runs until `stop`. Every failure is said, and tried again after a growing, uneven pause. */
  async run(): Promise<void> {
    let failures = 0;
    this.#watchTrial();
    while (!this.#isStopped) {
      const startedAtMs = performance.now();
      this.#isNewStart = false;
      try {
        this.#place = await this.#dependencies.findServer(failures, (rogue) => this.#meetRogue(rogue));
        await this.#connectOnce(this.#place);
      } catch (error) {
        if (error instanceof PinError && error.found !== null) {
          this.#meetRogue({ address: error.address, fingerprint: error.found });
        }
        this.#lastProblem = error instanceof Error ? error.message : String(error);
        this.#say(this.#lastProblem);
      }
      if (this.#isNewStart) {
        failures = 0;
        continue;
      }
      failures = countFailures(failures, performance.now() - startedAtMs, defaultRetryLimits);
      await this.#pause(retryDelayMs(failures, Math.random(), defaultRetryLimits));
    }
  }

  /** Leaves the server and finds it again, with the settings of now. */
  startAnew(): void {
    this.#isNewStart = true;
    this.#endPause();
    this.#anySocket?.end();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#trialTimer);
    this.#endPause();
    this.#anySocket?.destroy();
  }

  /** A line that repeats is said once, then counted: an agent waits for days without filling a log. */
  #say(text: string): void {
    if (text === this.#lastSaid) {
      return;
    }
    this.#lastSaid = text;
    this.#dependencies.say(text);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #requirePlace(): ServerPlace {
    if (this.#place === null) {
      throw new Error("there is no server yet");
    }
    return this.#place;
  }

  /** A connection of our own to the server, with our certificate where we have one. */
  #connect(flowId: "agent.control" | "remote.control", place: ServerPlace): Promise<TLSSocket> {
    const { identity, settings, localAddress } = this.#dependencies;
    const patienceMs = settings.trialLeftMs(Date.now()) ?? Number.POSITIVE_INFINITY;
    const { siteKeyFingerprint } = settings.current();
    return connectServer({ flowId, place, patienceMs, localAddress, identity, siteKeyFingerprint });
  }

  async #connectOnce(place: ServerPlace): Promise<void> {
    const certificate = this.#dependencies.identity.certificatePem;
    const socket = await this.#connect("agent.control", place);
    this.#anySocket = socket;
    if (this.#isStopped) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.setTimeout(silenceMsMax, () => socket.destroy(new Error("the server has gone silent")));
    if (certificate === null) {
      this.#say(`found server ${place.address}; asking to be let in`);
      socket.write(encodeFrame(this.#enrollMessage(socket)));
    } else {
      socket.write(encodeFrame(this.#helloMessage()));
    }
    await this.#talk(socket);
  }

  #enrollMessage(socket: TLSSocket): EnrollMessage {
    const { identity, settings } = this.#dependencies;
    const { environment, bootToken } = settings.current();
    return {
      type: "enroll",
      environment,
      publicKey: identity.publicKey(),
      proof: identity.prove(socket),
      bootToken,
      enrolmentToken: identity.enrolmentToken(),
      inventory: this.#dependencies.readInventory(),
    };
  }

  #helloMessage(): AgentMessage {
    return {
      type: "hello",
      environment: this.#dependencies.settings.current().environment,
      agentRunId: this.#agentRunId,
      inventory: this.#dependencies.readInventory(),
      tasks: this.#tasks.reports(),
      probes: probeKinds,
    };
  }

  /** Until the connection ends. */
  #talk(socket: TLSSocket): Promise<void> {
    const reader = new FrameReader();
    reader.sizeBytesMax = frameSizeBytesMax.afterAuthentication;
    return new Promise((resolve, reject) => {
      socket.on("data", (bytes: Buffer) => {
        try {
          for (const value of reader.push(bytes)) {
            this.#receive(socket, decodeServerMessage(value));
          }
        } catch (error) {
          socket.destroy(error instanceof Error ? error : new Error(String(error)));
        }
      });
      socket.once("error", reject);
      socket.once("close", () => {
        this.#socket = null;
        this.#anySocket = null;
        // The server shows it again to who comes back.
        this.#menu.close();
        resolve();
      });
    });
  }

  #receive(socket: TLSSocket, message: ServerMessage): void {
    const { identity } = this.#dependencies;
    switch (message.type) {
      case "pending":
        this.#say(`waiting for approval: ${message.reason}`);
        break;
      case "refused":
        this.#say(`refused: ${message.reason}`);
        identity.forgetCertificate();
        socket.end();
        break;
      case "enrolled":
        this.#say("let in");
        this.#software.forget();
        identity.keepCertificate(message.certificatePem).then(
          () => {
            this.#isNewStart = true;
            socket.end();
          },
          (error: unknown) => socket.destroy(error instanceof Error ? error : new Error(String(error))),
        );
        break;
      case "welcome":
        this.#say(`connected as ${message.name} (${message.computerId})`);
        this.#socket = socket;
        this.#welcomed(message).catch((error: unknown) => this.#say(String(error)));
        break;
      case "task":
        this.#menu.close();
        this.#tasks.start(message);
        break;
      case "menu":
      case "menu-end":
        this.#menu.receive(message);
        break;
      case "change-settings":
        this.#changeSettings(message).catch((error: unknown) => this.#say(String(error)));
        break;
      case "remote-open":
        this.#remote.open(message);
        break;
      case "wake-peer":
        wakePeer(message, this.#dependencies.network).then(
          (sentCount) => this.#send({ type: "wake-sent", wakeId: message.wakeId, sentCount }),
          (error: unknown) => this.#say(`magic packet: ${String(error)}`),
        );
        break;
      case "cancel-task":
        this.#tasks.cancel(message.key);
        break;
      case "ping":
        // Also while it waits to be let in: silence is how either end notices that the other is gone.
        socket.write(encodeFrame({ type: "pong" } satisfies AgentMessage));
        break;
      case "probe":
      case "probe-end":
        this.#probes.receive(message);
        break;
      case "imaging-session":
      case "imaging-round-end":
      case "imaging-use-unicast":
        this.#tasks.imagingMessage(message);
        break;
    }
  }

  /** The server was reached: what it is told first, and what counts from now on. */
  async #welcomed({ discovery }: Extract<ServerMessage, { readonly type: "welcome" }>): Promise<void> {
    const { settings } = this.#dependencies;
    clearTimeout(this.#trialTimer);
    await settings.confirm();
    await settings.noteDiscovery(discovery);
    const config = settings.current();
    if (config.environment === "os") {
      this.#send({ type: "settings", settings: settingsOf(config), isLocked: config.lock !== null });
      this.#software.tell();
    }
    const report = settings.report();
    if (report !== null && this.#socket !== null) {
      this.#say(`settings ${report.outcome}${report.reason === null ? "" : `: ${report.reason}`}`);
      this.#socket.write(encodeFrame(report), () => void settings.reported());
    }
    for (const rogue of this.#rogues.takeNews()) {
      this.#send({ type: "rogue-server", ...rogue });
    }
  }

  async #changeSettings(
    message: Extract<ServerMessage, { readonly type: "change-settings" }>,
  ): Promise<void> {
    const refusal = await this.#dependencies.settings.change(message, Date.now());
    if (refusal !== null) {
      this.#send(refusal);
      return;
    }
    this.#say("new settings from the server, on trial");
    this.#lastProblem = "";
    this.#watchTrial();
    this.startAnew();
  }

  /** Ends the trial of new settings when its time is over. */
  #watchTrial(): void {
    const leftMs = this.#dependencies.settings.trialLeftMs(Date.now());
    clearTimeout(this.#trialTimer);
    if (leftMs !== null) {
      this.#trialTimer = setTimeout(() => {
        this.#dependencies.settings.return(this.#lastProblem).then(
          () => {
            this.#say("the settings on trial did not reach the server; the old ones are back");
            this.startAnew();
          },
          (error: unknown) => this.#say(String(error)),
        );
      }, leftMs);
    }
  }

  #meetRogue(rogue: RogueServer): void {
    if (this.#rogues.add(rogue)) {
      this.#say(
        `${rogue.address} answers agents with the foreign key ${rogue.fingerprint.slice(0, 16)}…; it gets no connection`,
      );
    }
  }

  /** What this computer is has changed while it runs. A server that is found later is told with the greeting. */
  tellInventory(): void {
    this.#send({ type: "inventory", inventory: this.#dependencies.readInventory() });
  }

  /** False when there is no connection. */
  #send(message: AgentMessage): boolean {
    this.#socket?.write(encodeFrame(message));
    return this.#socket !== null;
  }
}
