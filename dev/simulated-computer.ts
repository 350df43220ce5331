import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { AgentIdentity } from "#agent/identity.ts";
import { ProbeRunner } from "#agent/probe/probe-runner.ts";
import { connectPinned } from "#platform/pinned-tls.ts";
import type { TaskContext, TaskOutcome } from "#agent/task.ts";
import { ComputerUuid } from "#engine/boot/computer-uuid.ts";
import { bootEvent, type BootStage } from "#engine/boot/boot-event.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { SimulatedComputer as SimulatedHost } from "#platform/sim/simulated-computer.ts";
import { probeKinds } from "#wire/probe/probe-order.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import { encodeFrame, FrameReader, frameSizeBytesMax } from "#wire/control/frame.ts";
import type { Inventory } from "#wire/control/inventory.ts";
import {
  type AgentMessage,
  decodeServerMessage,
  type EnrollMessage,
  type Environment,
  type ServerMessage,
  type TaskReport,
} from "#wire/control/message.ts";
import type { TaskMessage } from "#wire/control/task-message.ts";
import { simulateCapture } from "./simulated-capture.ts";
import { simulateDeploy } from "./simulated-deploy.ts";
import type { SimulatedSite } from "./simulated-site.ts";

export type SimulatedComputerOptions = {
  readonly name: string;
  readonly mac: MacAddress;
  readonly address: Ipv4Address;
  /** The server's address in its segment. */
  readonly serverAddress: Ipv4Address;
  readonly interfaceName: string;
  readonly inventory: Inventory;
  readonly isInstalled: boolean;
  /** Pace of its disk. */
  readonly writeDelayMs: number;
};

const bootStepDelayMs = 350;
const lookDelayMs = 1000;
const bootSteps: readonly BootStage[] = [
  "discover",
  "offer",
  "loader",
  "script",
  "kernel",
  "initrd",
  "preboot-image",
];

type RunningTask = {
  report: TaskReport;
  readonly abort: AbortController;
  onMessage: Parameters<TaskContext["onMessage"]>[0] | null;
};

/**
 * A computer that is not there: its firmware is a list of boot events, its disk takes everything, its scripts run
 * nowhere. What it says to the server, it says over a real control connection, as an agent would.
 */
export class SimulatedComputer {
  readonly #site: SimulatedSite;
  readonly #options: SimulatedComputerOptions;
  readonly #network: SimulatedHost;
  #identity: AgentIdentity | null = null;
  #osIdentity: AgentIdentity | null = null;
  #environment: Environment = "preboot";
  #isInstalled: boolean;
  #isOff = false;
  #isStopped = false;
  #socket: TLSSocket | null = null;
  #computerId: string | null = null;
  #agentRunId = randomUUID();
  /** Keyed by task key. BOUNDED by the tasks of one simulated life. */
  #tasks = new Map<string, RunningTask>();
  readonly #probes: ProbeRunner;

  constructor(site: SimulatedSite, options: SimulatedComputerOptions) {
    this.#site = site;
    this.#options = options;
    this.#isInstalled = options.isInstalled;
    this.#network = site.network.computer(options.name);
    site.network.attach(this.#network, options.interfaceName, {
      interfaceName: "eth0",
      address: `${options.address}/24`,
      mac: options.mac,
    });
    const { address, serverAddress } = options;
    this.#probes = new ProbeRunner({
      network: this.#network,
      siteKeyFingerprint: site.server.authority.fingerprint,
      identity: () => this.#identityPem(),
      connection: () => ({ serverAddress, localAddress: address }),
      send: (message) => this.#send(message),
    });
  }

  #identityPem(): { readonly key: string; readonly cert: string } {
    return { key: this.#identity?.keyPem ?? "", cert: this.#identity?.certificatePem ?? "" };
  }

  stop(): void {
    this.#isStopped = true;
    this.#socket?.destroy();
    this.#endTasks();
  }

  /** Power is gone: what it was doing ends with its sockets and timers. */
  #endTasks(): void {
    for (const { abort } of this.#tasks.values()) {
      abort.abort();
    }
    this.#tasks = new Map();
  }

  /** Boots, connects, and boots again whenever it was told to restart. Returns when stopped. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#boot();
      while (!this.#isStopped && !this.#isOff && this.#identity !== null) {
        const wasTold = await this.#connectOnce(this.#identity).catch(() => false);
        if (wasTold) {
          break;
        }
        await delay(700);
      }
      await delay(bootStepDelayMs);
    }
  }

  /** As firmware does: the network first; the disk when the server has nothing for it. */
  async #boot(): Promise<void> {
    const { server } = this.#site;
    const hasWork = (): boolean => this.#computerId !== null && server.jobs.hasPrebootWork(this.#computerId);
    while (this.#isOff && !hasWork() && !this.#isStopped) {
      await delay(lookDelayMs);
    }
    this.#isOff = false;
    this.#agentRunId = randomUUID();
    this.#endTasks();
    if (this.#isInstalled && !hasWork()) {
      this.#record("discover", "known-without-work");
      await delay(2 * bootStepDelayMs);
      this.#environment = "os";
      this.#osIdentity ??= await AgentIdentity.load(null);
      this.#identity = this.#osIdentity;
      return;
    }
    for (const stage of bootSteps) {
      this.#record(stage, null);
      await delay(bootStepDelayMs);
    }
    this.#environment = "preboot";
    this.#identity = await AgentIdentity.load(null);
  }

  #record(stage: BootStage, reason: "known-without-work" | null): void {
    const { server } = this.#site;
    const { mac, interfaceName, serverAddress, inventory } = this.#options;
    server.boot.recorder.record(
      bootEvent({
        atMs: Date.now(),
        stage,
        outcome: reason === null ? "done" : "ignored",
        reason,
        mac,
        computerId: this.#computerId,
        interfaceName,
        serverAddress,
        firmware: inventory.firmware,
      }),
    );
  }

  /** True when it ended because the computer was told to restart or switch off. */
  async #connectOnce(identity: AgentIdentity): Promise<boolean> {
    const { server } = this.#site;
    const { address, serverAddress } = this.#options;
    const grant = grantSocket(findFlow(server.flows(), "agent.control"), {
      role: "agent",
      side: "connect",
      localAddress: address,
    });
    const certificate = identity.certificatePem;
    const target = {
      address: serverAddress,
      port: server.settings.current()["control.tcpPort"],
      timeoutMs: 5000,
    };
    const socket = await connectPinned(grant, target, {
      siteKeyFingerprint: server.authority.fingerprint,
      ...(certificate === null ? {} : { key: identity.keyPem, cert: certificate }),
    });
    if (this.#isStopped) {
      socket.destroy();
      return false;
    }
    this.#socket = socket;
    socket.write(encodeFrame(certificate === null ? this.#enroll(identity, socket) : this.#hello()));
    return this.#talk(socket, identity);
  }

  #enroll(identity: AgentIdentity, socket: TLSSocket): EnrollMessage {
    return {
      type: "enroll",
      environment: this.#environment,
      publicKey: identity.publicKey(),
      proof: identity.prove(socket),
      bootToken: this.#environment === "preboot" ? this.#bootToken() : null,
      enrolmentToken: null,
      inventory: this.#options.inventory,
    };
  }

  /** What its boot script would have carried. */
  #bootToken(): string | null {
    const { mac, inventory } = this.#options;
    const { server, clock } = this.#site;
    const uuid = inventory.uuid === null ? null : ComputerUuid.parse(inventory.uuid);
    return server.boot.tokens.issue({
      random: randomBytes(32),
      identity: { mac, uuid },
      computerId: this.#computerId,
      nowMs: clock.monotonicMs(),
    });
  }

  #hello(): AgentMessage {
    return {
      type: "hello",
      environment: this.#environment,
      agentRunId: this.#agentRunId,
      inventory: this.#options.inventory,
      tasks: [...this.#tasks.values()].map(({ report }) => report),
      probes: probeKinds,
    };
  }

  #talk(socket: TLSSocket, identity: AgentIdentity): Promise<boolean> {
    const reader = new FrameReader();
    reader.sizeBytesMax = frameSizeBytesMax.afterAuthentication;
    let wasTold = false;
    return new Promise((resolve) => {
      socket.on("error", () => undefined);
      socket.on("close", () => resolve(wasTold));
      socket.on("data", (bytes: Buffer) => {
        for (const value of reader.push(bytes)) {
          const message = decodeServerMessage(value);
          wasTold ||=
            message.type === "task" &&
            ["restart", "power-off", "start-installer"].includes(message.task.kind);
          this.#receive(socket, identity, message);
        }
      });
    });
  }

  #receive(socket: TLSSocket, identity: AgentIdentity, message: ServerMessage): void {
    const { type } = message;
    // To what is not here, such as settings and terminals, it says nothing.
    if (type === "enrolled") {
      void identity.keepCertificate(message.certificatePem).then(() => socket.end());
    } else if (type === "refused") {
      identity.forgetCertificate();
      socket.end();
    } else if (type === "welcome") {
      this.#computerId = message.computerId;
    } else if (type === "ping") {
      this.#send({ type: "pong" });
    } else if (type === "task") {
      this.#start(message);
    } else if (type === "probe" || type === "probe-end") {
      this.#probes.receive(message);
    } else if (type === "cancel-task") {
      this.#tasks.get(message.key)?.abort.abort();
    } else if (type === "imaging-session" || type === "imaging-round-end" || type === "imaging-use-unicast") {
      for (const [key, task] of this.#tasks) {
        if (!("key" in message) || message.key === key) {
          task.onMessage?.(message);
        }
      }
    }
  }

  #send(message: AgentMessage): void {
    this.#socket?.write(encodeFrame(message));
  }

  #start(message: TaskMessage): void {
    const { key, task } = message;
    const known = this.#tasks.get(key);
    if (known !== undefined) {
      this.#sendResult(known.report);
      return;
    }
    const running: RunningTask = {
      report: { key, outcome: "running", reason: null },
      abort: new AbortController(),
      onMessage: null,
    };
    this.#tasks.set(key, running);
    if (task.kind === "restart" || task.kind === "power-off" || task.kind === "start-installer") {
      if (task.kind === "start-installer") {
        this.#isInstalled = true;
        this.#osIdentity = null;
      }
      this.#isOff = task.kind === "power-off";
      this.#sendResult({ key, outcome: "done", reason: null });
      this.#socket?.end();
      return;
    }
    this.#do(task, key, running)
      .catch((error: unknown): TaskOutcome => ({ outcome: "failed", reason: String(error).slice(0, 500) }))
      .then(({ outcome, reason }) => {
        running.report = { key, outcome, reason };
        running.onMessage = null;
        this.#sendResult(running.report);
      })
      .catch(() => this.#socket?.destroy());
  }

  #sendResult({ key, outcome, reason }: TaskReport): void {
    if (outcome !== "running") {
      this.#send({ type: "task-result", key, outcome, reason });
    }
  }

  async #do(task: TaskMessage["task"], key: string, running: RunningTask): Promise<TaskOutcome> {
    if (task.kind === "capture-image") {
      return simulateCapture(this.#contextFor(key, running));
    }
    if (task.kind !== "deploy-image") {
      await delay(1500);
      return { outcome: "done", reason: null };
    }
    const outcome = await simulateDeploy(task, this.#contextFor(key, running), this.#options.writeDelayMs);
    this.#isInstalled = outcome.outcome === "done";
    this.#osIdentity = null;
    return outcome;
  }

  #contextFor(key: string, running: RunningTask): TaskContext {
    const { server } = this.#site;
    let sentAtMs = 0;
    return {
      key,
      network: this.#network,
      serverAddress: () => this.#options.serverAddress,
      siteKeyFingerprint: server.authority.fingerprint,
      identity: () => this.#identityPem(),
      send: (message) => this.#send(message),
      onMessage: (handler) => {
        running.onMessage = handler;
      },
      disks: () => this.#options.inventory.disks,
      report: (progress) => {
        if (Date.now() - sentAtMs > 400 || progress.stage !== "writing") {
          sentAtMs = Date.now();
          this.#send({ type: "task-progress", key, ...progress });
        }
      },
      say: () => undefined,
      signal: running.abort.signal,
    };
  }
}
