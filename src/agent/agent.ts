import { randomUUID } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { countFailures, defaultRetryLimits, retryDelayMs } from "#engine/agent/retry-delay.ts";
import type { ServerPlace } from "#engine/agent/server-search.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Network } from "#platform/network.ts";
import { encodeFrame, FrameReader, frameSizeBytesMax } from "#wire/control/frame.ts";
import {
  type AgentMessage,
  decodeServerMessage,
  type EnrollMessage,
  type ServerMessage,
} from "#wire/control/message.ts";
import type { AgentConfig } from "./config.ts";
import type { AgentIdentity } from "./identity.ts";
import { readInventory } from "./inventory.ts";
import { connectPinned } from "./pinned-tls.ts";
import { TaskRunner } from "./task-runner.ts";

export type AgentDependencies = {
  readonly network: Network;
  readonly identity: AgentIdentity;
  /** Where to go this time, after so many attempts that failed. The error's message says why there is nowhere. */
  readonly findServer: (failures: number) => Promise<ServerPlace>;
  readonly say: (text: string) => void;
};

const silenceMsMax = 60_000;
/** Slower than this is no connection: the frames of the bound take a second on the slowest link. */
const connectTimeoutMs = 10_000;

/** Keeps one control connection to the site's server, enrols when it must, and does the tasks it is given. */
export class Agent {
  readonly #config: AgentConfig;
  readonly #dependencies: AgentDependencies;
  /** Changes with every process, so that the server tells a restart from a reconnection. */
  readonly #agentRunId = randomUUID();
  readonly #tasks: TaskRunner;
  #place: ServerPlace | null = null;
  #socket: TLSSocket | null = null;
  /** The connection of the moment, authenticated or not. */
  #anySocket: TLSSocket | null = null;
  #isStopped = false;
  #wasEnrolled = false;
  #lastSaid = "";
  #endPause: () => void = () => undefined;

  constructor(config: AgentConfig, dependencies: AgentDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    const { network, identity, say } = dependencies;
    this.#tasks = new TaskRunner({
      environment: config.environment,
      stateDir: config.stateDir,
      network,
      serverAddress: () => this.#requirePlace().address,
      siteKeyFingerprint: config.siteKeyFingerprint,
      identity: () => ({ key: identity.keyPem, cert: identity.certificatePem ?? "" }),
      say,
      send: (message) => this.#send(message),
      flush: () => this.#flush(),
    });
  }

  /** Runs until `stop`. Every failure is said, and tried again after a growing, uneven pause. */
  async run(): Promise<void> {
    let failures = 0;
    while (!this.#isStopped) {
      const startedAtMs = performance.now();
      this.#wasEnrolled = false;
      try {
        this.#place = await this.#dependencies.findServer(failures);
        await this.#connectOnce(this.#place);
      } catch (error) {
        this.#say(error instanceof Error ? error.message : String(error));
      }
      if (this.#wasEnrolled) {
        // The same server at once, now with the certificate it has given.
        failures = 0;
        continue;
      }
      failures = countFailures(failures, performance.now() - startedAtMs, defaultRetryLimits);
      await this.#pause(retryDelayMs(failures, Math.random(), defaultRetryLimits));
    }
  }

  stop(): void {
    this.#isStopped = true;
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

  async #connectOnce(place: ServerPlace): Promise<void> {
    const { identity } = this.#dependencies;
    const settings = { ...classicSettings, "control.tcpPort": place.port };
    const grant = grantSocket(findFlow(computeFlows(settings, { consolePort: 8443 }), "agent.control"), {
      role: "agent",
      side: "connect",
    });
    const certificate = identity.certificatePem;
    const socket = await connectPinned(
      grant,
      { ...place, timeoutMs: connectTimeoutMs },
      {
        siteKeyFingerprint: this.#config.siteKeyFingerprint,
        ...(certificate === null ? {} : { key: identity.keyPem, cert: certificate }),
      },
    );
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
    const { identity } = this.#dependencies;
    return {
      type: "enroll",
      environment: this.#config.environment,
      publicKey: identity.publicKey(),
      proof: identity.prove(socket),
      bootToken: this.#config.bootToken,
      inventory: readInventory(),
    };
  }

  #helloMessage(): AgentMessage {
    return {
      type: "hello",
      environment: this.#config.environment,
      agentRunId: this.#agentRunId,
      inventory: readInventory(),
      tasks: this.#tasks.reports(),
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
        identity.keepCertificate(message.certificatePem).then(
          () => {
            this.#wasEnrolled = true;
            socket.end();
          },
          (error: unknown) => socket.destroy(error instanceof Error ? error : new Error(String(error))),
        );
        break;
      case "welcome":
        this.#say(`connected as ${message.name} (${message.computerId})`);
        this.#socket = socket;
        break;
      case "task":
        this.#tasks.start(message);
        break;
      case "cancel-task":
        this.#tasks.cancel(message.key);
        break;
      case "ping":
        // Also while it waits to be let in: silence is how either end notices that the other is gone.
        socket.write(encodeFrame({ type: "pong" } satisfies AgentMessage));
        break;
      case "imaging-session":
      case "imaging-round-end":
      case "imaging-use-unicast":
        this.#tasks.imagingMessage(message);
        break;
    }
  }

  #send(message: AgentMessage): void {
    this.#socket?.write(encodeFrame(message));
  }

  /** What was sent has left this computer, as far as it can know. */
  async #flush(): Promise<void> {
    const socket = this.#socket;
    if (socket === null) {
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 2000);
      socket.end(() => {
        clearTimeout(timer);
        setTimeout(resolve, 200);
      });
    });
  }
}
