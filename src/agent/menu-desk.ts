import type { MenuChoice, MenuMessage } from "#wire/control/boot-menu-message.ts";
import type { Environment, ServerMessage } from "#wire/control/message.ts";
import { ShownMenu } from "./show-menu.ts";
import { changePower } from "./tasks/power.ts";

type MenuDeskDependencies = {
  readonly environment: Environment;
  readonly send: (choice: MenuChoice) => void;
  readonly say: (text: string) => void;
};

/** Shows the menu that the server sends, in preboot, and does what becomes of it. */
export class MenuDesk {
  readonly #dependencies: MenuDeskDependencies;
  #menu: ShownMenu | null = null;

  constructor(dependencies: MenuDeskDependencies) {
    this.#dependencies = dependencies;
  }

  receive(message: Extract<ServerMessage, { readonly type: "menu" | "menu-end" }>): void {
    const { environment, say } = this.#dependencies;
    this.close();
    if (environment !== "preboot") {
      return;
    }
    if (message.type === "menu") {
      this.#show(message);
      return;
    }
    say(message.text);
    if (message.isRestart) {
      changePower("restart", environment);
    }
  }

  /** A task has come, or the connection is over; the server shows it again to who comes back without work. */
  close(): void {
    this.#menu?.close();
    this.#menu = null;
  }

  #show(menu: MenuMessage): void {
    const { send, say } = this.#dependencies;
    this.#menu = new ShownMenu(menu, (choice) => {
      const label = menu.entries.find((entry) => entry.choice === choice.choice)?.label ?? choice.choice;
      say(`${choice.by === "person" ? "chosen" : "nobody chose, so it takes"}: ${label}`);
      send(choice);
    });
    if (this.#menu.screenCount === 0) {
      say("there is no screen to show a menu on");
    }
  }
}
