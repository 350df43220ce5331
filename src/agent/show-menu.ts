import {
  drawMenu,
  type MenuState,
  type MenuStep,
  openMenu,
  passTime,
  pressKey,
  readMenuKeys,
} from "#engine/agent/boot-menu.ts";
import { type ConsoleTerminal, openConsoleTerminals } from "#platform/console-terminals.ts";
import type { BootMenu, MenuChoice } from "#wire/control/boot-menu-message.ts";

const clearScreen = "\u001b[2J\u001b[H";
const tickMs = 1000;

/** A menu on every screen of this computer; the first answer counts. Time runs too where there is no screen. */
export class ShownMenu {
  readonly #onChosen: (choice: MenuChoice) => void;
  readonly #terminals: readonly ConsoleTerminal[];
  readonly #timer: NodeJS.Timeout;
  #state: MenuState;
  #isClosed = false;

  constructor(menu: BootMenu, onChosen: (choice: MenuChoice) => void) {
    this.#onChosen = onChosen;
    this.#state = openMenu(menu, performance.now());
    this.#terminals = openConsoleTerminals();
    for (const terminal of this.#terminals) {
      terminal.onKeys((text) => this.#press(text));
    }
    this.#draw();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  get screenCount(): number {
    return this.#terminals.length;
  }

  close(): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      clearInterval(this.#timer);
      this.#terminals.forEach((terminal) => terminal.close());
    }
  }

  #press(text: string): void {
    for (const key of readMenuKeys(text)) {
      this.#take(pressKey(this.#state, key));
    }
    this.#draw();
  }

  #tick(): void {
    const isCounting = this.#state.deadlineMs !== null;
    this.#take(passTime(this.#state, performance.now()));
    if (isCounting) {
      this.#draw();
    }
  }

  #take({ state, chosen }: MenuStep): void {
    if (this.#isClosed) {
      return;
    }
    this.#state = state;
    if (chosen !== null) {
      this.close();
      this.#onChosen({ type: "menu-choice", ...chosen });
    }
  }

  #draw(): void {
    if (!this.#isClosed) {
      const text = drawMenu(this.#state, performance.now()).join("\r\n");
      this.#terminals.forEach((terminal) => terminal.write(`${clearScreen}${text}\r\n`));
    }
  }
}
