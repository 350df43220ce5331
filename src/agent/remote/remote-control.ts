import type { TLSSocket } from "node:tls";
import type { RemotePolicy } from "#wire/control/agent-settings.ts";
import type { ServerManagementMessage } from "#wire/control/management-messages.ts";
import type { AgentMessage } from "#wire/control/message.ts";
import type { X11Display } from "#platform/linux/desktop.ts";
import { askConsent, showIndicator, showNotice } from "./ask-consent.ts";
import { serveDesktop, whyNoDesktop } from "./desktop-session.ts";
import { serveFiles } from "./file-session.ts";
import { findDisplay } from "./find-display.ts";
import { RemoteConnection } from "./remote-connection.ts";
import { serveTerminal } from "./terminal-session.ts";

export type RemoteControlDependencies = {
  readonly policy: () => RemotePolicy;
  /** Whether users are told when an operator comes and goes. */
  readonly showsNotice: () => boolean;
  /** The display that counts as this computer's; `null`: the one that is in use. */
  readonly wantedDisplay: () => string | null;
  readonly connect: (port: number) => Promise<TLSSocket>;
  readonly send: (message: AgentMessage) => void;
  readonly say: (text: string) => void;
};

type RemoteOpen = Extract<ServerManagementMessage, { readonly type: "remote-open" }>;

const sessionCountMax = 8;
const titles = { terminal: "a terminal", files: "the files", desktop: "the desktop" } as const;

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
    const { policy, connect, wantedDisplay } = this.#dependencies;
    const { sessionId, kind, operator, port, ticket } = order;
    if (this.#sessions.size >= sessionCountMax) {
      throw new Error(`${sessionCountMax} remote sessions are open on this computer already`);
    }
    const display = process.platform === "linux" ? findDisplay(wantedDisplay()) : null;
    const obstacle = kind === "desktop" && policy() !== "never" ? whyNoDesktop(display) : null;
    const refusal =
      obstacle ?? (await askConsent({ policy: policy(), operator, what: titles[kind], display }));
    if (refusal !== null) {
      throw new Error(refusal);
    }
    const connection = new RemoteConnection(await connect(port), ticket);
    this.#sessions.add(sessionId);
    try {
      // The notice must not delay the first order: the connection is handled before anything is awaited.
      await this.#serve(connection, order, display);
    } finally {
      this.#sessions.delete(sessionId);
      connection.end();
      await this.#note(`${operator} has closed ${titles[kind]} of this computer`);
    }
  }

  async #serve(connection: RemoteConnection, order: RemoteOpen, display: X11Display | null): Promise<void> {
    const { kind, operator } = order;
    const text = `${operator} has opened ${titles[kind]} of this computer`;
    const serve = (): Promise<void> => {
      switch (kind) {
        case "terminal":
          return serveTerminal(connection, order);
        case "files":
          return serveFiles(connection);
        case "desktop":
          return display === null
            ? Promise.reject(new Error("the display is gone"))
            : serveDesktop(connection, { ...display, isViewOnly: order.isViewOnly });
      }
    };
    const served = serve();
    const hide =
      display === null || !this.#dependencies.showsNotice()
        ? () => undefined
        : showIndicator(display, `portolan: ${text}`, () => connection.end());
    try {
      await Promise.all([served, this.#note(text)]);
    } finally {
      hide();
    }
  }

  async #note(text: string): Promise<void> {
    this.#dependencies.say(text);
    if (this.#dependencies.showsNotice()) {
      await showNotice(`portolan: ${text}`);
    }
  }
}
