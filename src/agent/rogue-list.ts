import type { RogueServer } from "./find-server.ts";

const rogueCountMax = 16;

/** Foreign servers that answered this agent, each told to the own server once. */
export class RogueList {
  /** Keyed by address and fingerprint; the value says whether it was told. BOUNDED by `rogueCountMax`. */
  readonly #rogues = new Map<string, { readonly rogue: RogueServer; isTold: boolean }>();

  /** Whether it is a new one. */
  add(rogue: RogueServer): boolean {
    const key = `${rogue.address} ${rogue.fingerprint}`;
    if (this.#rogues.has(key) || this.#rogues.size >= rogueCountMax) {
      return false;
    }
    this.#rogues.set(key, { rogue, isTold: false });
    return true;
  }

  /** Those that were not told yet. */
  takeNews(): RogueServer[] {
    const news = [...this.#rogues.values()].filter(({ isTold }) => !isTold);
    for (const entry of news) {
      entry.isTold = true;
    }
    return news.map(({ rogue }) => rogue);
  }
}
