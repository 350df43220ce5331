import type { ServerImagingMessage } from "#wire/control/imaging-messages.ts";
import type { TaskAgain } from "../task.ts";

type Message = ServerImagingMessage | TaskAgain;

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
        this.#wake = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    return this.#messages.shift() ?? null;
  }
}
