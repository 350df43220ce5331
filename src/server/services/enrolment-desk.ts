import { createHash, type KeyObject } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { AnswerBudget, type AnswerRate } from "#engine/dhcp/answer-budget.ts";
import type { Clock } from "#platform/clock.ts";
import { encodeFrame } from "#wire/control/frame.ts";
import type { EnrollMessage, ServerMessage } from "#wire/control/message.ts";
import type { SiteAuthority } from "../site-authority.ts";
import { checkEnrolmentProof } from "./check-enrolment-proof.ts";

/** Each costs a signature check and a look into the store. A room of a thousand comes in at once. */
const enrolmentRate: AnswerRate = { perSecond: 200, burst: 1000 };

/** What became of a request to be let in. `pending` and `held` keep the line open: the answer may come later. */
export type EnrolmentAnswer =
  | { readonly type: "enrolled"; readonly computerId: string; readonly lifetimeMs: number }
  | { readonly type: "pending"; readonly computerId: string | null; readonly reason: string }
  | { readonly type: "refused"; readonly reason: string };

export type EnrolmentDeskDependencies = {
  readonly authority: Pick<SiteAuthority, "issueComputer">;
  readonly clock: Clock;
  readonly decideEnrolment: (message: EnrollMessage, keyFingerprint: string) => Promise<EnrolmentAnswer>;
  readonly count: (reason: string) => void;
  /** Says why, and ends the connection. */
  readonly refuse: (socket: TLSSocket, counter: string, reason: string) => void;
  /** Where silence is allowed from now on, as it waits for a person. */
  readonly onWaiting: (socket: TLSSocket) => void;
};

type Waiting = { readonly socket: TLSSocket; readonly message: EnrollMessage; readonly key: KeyObject };

/** Where computers without a certificate ask for one, and wait with an open line until an operator has decided. */
export class EnrolmentDesk {
  readonly #dependencies: EnrolmentDeskDependencies;
  /** Keyed by connection. BOUNDED as the strangers are. */
  readonly #waiting = new Map<TLSSocket, Waiting>();
  readonly #budget: AnswerBudget;
  /** How often all were asked about again. */
  #roundCount = 0;

  constructor(dependencies: EnrolmentDeskDependencies) {
    this.#dependencies = dependencies;
    this.#budget = new AnswerBudget(enrolmentRate, dependencies.clock.monotonicMs());
  }

  isWaiting(socket: TLSSocket): boolean {
    return this.#waiting.has(socket);
  }

  /** Everyone who waits, to be pinged. */
  waiting(): Iterable<TLSSocket> {
    return this.#waiting.keys();
  }

  leave(socket: TLSSocket): void {
    this.#waiting.delete(socket);
  }

  /** Asks again for everyone who waits; called when something was approved. */
  async reconsider(): Promise<void> {
    this.#roundCount += 1;
    for (const { socket, message, key } of [...this.#waiting.values()]) {
      await this.#decide(socket, message, key);
    }
  }

  async receive(socket: TLSSocket, message: EnrollMessage): Promise<void> {
    const { clock, count, refuse } = this.#dependencies;
    if (!this.#budget.take(clock.monotonicMs())) {
      // Not refused, which would make the agent forget its certificate: it comes again after its pause.
      count("too-many-enrolments");
      socket.destroy();
      return;
    }
    const key = checkEnrolmentProof(socket, message);
    if (key === null) {
      refuse(socket, "bad-proof", "the enrolment is not signed by its own key");
      return;
    }
    await this.#decide(socket, message, key);
  }

  async #decide(socket: TLSSocket, message: EnrollMessage, key: KeyObject): Promise<void> {
    const { authority, clock, decideEnrolment, count, refuse, onWaiting } = this.#dependencies;
    const fingerprint = createHash("sha256")
      .update(key.export({ type: "spki", format: "der" }))
      .digest("hex");
    const roundCount = this.#roundCount;
    const answer = await decideEnrolment(message, fingerprint);
    count(`enrolment-${answer.type}`);
    switch (answer.type) {
      case "enrolled": {
        const subject = { computerId: answer.computerId, role: message.environment };
        const nowMs = clock.epochMs();
        const certificatePem = await authority.issueComputer(key, subject, answer.lifetimeMs, nowMs);
        this.#waiting.delete(socket);
        write(socket, { type: "enrolled", certificatePem });
        break;
      }
      case "pending":
        if (!this.#waiting.has(socket)) {
          this.#waiting.set(socket, { socket, message, key });
          onWaiting(socket);
          write(socket, { type: "pending", reason: answer.reason });
          // Approved while this was decided, when it was not among those who wait yet: nobody would ask again.
          if (roundCount !== this.#roundCount) {
            await this.#decide(socket, message, key);
          }
        }
        break;
      case "refused":
        refuse(socket, "enrolment-refused", answer.reason);
        break;
    }
  }
}

function write(socket: TLSSocket, message: ServerMessage): void {
  socket.write(encodeFrame(message));
}
