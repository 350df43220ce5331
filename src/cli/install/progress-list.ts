import { printable } from "../printable-text.ts";
import type { HostState } from "./install-host.ts";

function describe(state: HostState): string {
  switch (state.type) {
    case "connecting":
      return "connecting";
    case "copying":
      return state.percent === null ? "copying the agent" : `copying the agent, ${state.percent} %`;
    case "installing":
      return "installing";
    case "waiting":
      return "waiting until it is let in";
    case "done":
      return `connected as ${state.computerId}`;
    case "failed":
      return `failed: ${state.reason}`;
  }
}

/** One line for each computer: redrawn on a terminal, one line for each change elsewhere. */
export class ProgressList {
  readonly #stdout: NodeJS.WriteStream;
  readonly #isQuiet: boolean;
  /** Keyed by host, in their order. BOUNDED by the hosts of the command. */
  readonly #states = new Map<string, HostState>();
  #drawnLines = 0;

  constructor(stdout: NodeJS.WriteStream, isQuiet: boolean) {
    this.#stdout = stdout;
    this.#isQuiet = isQuiet;
  }

  update(host: string, state: HostState): void {
    const before = this.#states.get(host);
    this.#states.set(host, state);
    if (this.#isQuiet) {
      return;
    }
    if (!this.#stdout.isTTY) {
      if (before?.type !== state.type) {
        this.#stdout.write(`${host}: ${printable(describe(state))}\n`);
      }
      return;
    }
    const up = this.#drawnLines === 0 ? "" : `\u001b[${this.#drawnLines}A`;
    const lines = [...this.#states].map(
      ([name, each]) => `\u001b[2K${name}: ${printable(describe(each)).slice(0, 100)}\n`,
    );
    this.#drawnLines = lines.length;
    this.#stdout.write(up + lines.join(""));
  }
}
