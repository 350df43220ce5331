import type { ServerImagingMessage } from "#wire/control/imaging-messages.ts";
import type { TaskAgain } from "../task.ts";

/** From this computer's own session: everything has arrived, or writing failed. */
type SessionEnded = { readonly type: "session-ended"; readonly error: Error | null };

type Message = ServerImagingMessage | TaskAgain | SessionEnded;

/** Messages in order, for a loop that awaits between them. BOUNDED by what the server sends in one session. */
export class ImagingInbox {
  readonly #messages: Message[] = [];
  #wake: (() => void) | null = null;

  push(message: Message): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  /** `null` once the signal is given. */
  async next(signal: AbortSignal): Promise<Message | null> {
    while (this.#messages.length === 0) {
      if (signal.aborted) {
        return null;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener("abort", wake, { once: true });
      });
    }
    return this.#messages.shift() ?? null;
  }
}
