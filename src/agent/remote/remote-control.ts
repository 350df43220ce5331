import type { TLSSocket } from "node:tls";
import type { ServerManagementMessage } from "#wire/control/management-messages.ts";
import type { AgentMessage } from "#wire/control/message.ts";
import { askConsent, type RemotePolicy, showNotice } from "./ask-consent.ts";
import { serveFiles } from "./file-session.ts";
import { RemoteConnection } from "./remote-connection.ts";
import { serveTerminal } from "./terminal-session.ts";

export type RemoteControlDependencies = {
  readonly policy: () => RemotePolicy;
  /** Whether users are told when an operator comes and goes. */
  readonly showsNotice: () => boolean;
  readonly connect: (port: number) => Promise<TLSSocket>;
  readonly send: (message: AgentMessage) => void;
  readonly say: (text: string) => void;
};

type RemoteOpen = Extract<ServerManagementMessage, { readonly type: "remote-open" }>;

const sessionCountMax = 8;
const titles = { terminal: "a terminal", files: "the files" } as const;

/** Opens this computer to operators, as far as its policy lets it. */
export class RemoteControl {
  readonly #dependencies: RemoteControlDependencies;
  /** BOUNDED by `sessionCountMax`. */
  readonly #sessions = new Set<string>();

  constructor(dependencies: RemoteControlDependencies) {
    this.#dependencies = dependencies;
  }

  open(order: RemoteOpen): void {
    const { send, say } = this.#dependencies;
    this.#open(order).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      say(`remote session ${order.sessionId}: ${reason}`);
      send({ type: "remote-refused", sessionId: order.sessionId, reason: reason.slice(0, 1000) });
    });
  }

  async #open(order: RemoteOpen): Promise<void> {
    const { policy, showsNotice, connect, say } = this.#dependencies;
    const { sessionId, kind, operator, port, ticket } = order;
    if (this.#sessions.size >= sessionCountMax) {
      throw new Error(`${sessionCountMax} remote sessions are open on this computer already`);
    }
    const refusal = await askConsent(policy(), operator, titles[kind]);
    if (refusal !== null) {
      throw new Error(refusal);
    }
    const connection = new RemoteConnection(await connect(port), ticket);
    this.#sessions.add(sessionId);
    const notice = async (text: string): Promise<void> => {
      say(text);
      if (showsNotice()) {
        await showNotice(`portolan: ${text}`);
      }
    };
    try {
      // The notice must not delay the first order: the connection is handled before anything is awaited.
      const served = kind === "terminal" ? serveTerminal(connection, order) : serveFiles(connection);
      await Promise.all([served, notice(`${operator} has opened ${titles[kind]} of this computer`)]);
    } finally {
      this.#sessions.delete(sessionId);
      connection.end();
      await notice(`${operator} has closed ${titles[kind]} of this computer`);
    }
  }
}
