import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "#platform/clock.ts";
import type { EnrolmentStore, StoredEnrolmentToken } from "#store/enrolment-store.ts";
import type { SiteStore } from "#store/site-store.ts";

/** Why a computer that nobody knows may come in without an operator; `null`: it may not. */
export type Invitation = {
  readonly kind: "token" | "window" | null;
  /** False when the last use was taken meanwhile. */
  readonly redeem: () => Promise<boolean>;
};

const windowKey = "enrolment-window";
const tokenCountMax = 1000;

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** What lets computers in without an approval: tokens, and a window of time in which everybody is let in. */
export class EnrolmentRights {
  readonly #store: EnrolmentStore;
  readonly #site: SiteStore;
  readonly #clock: Clock;

  constructor(store: EnrolmentStore, site: SiteStore, clock: Clock) {
    this.#store = store;
    this.#site = site;
    this.#clock = clock;
  }

  /** The token's text is told once and kept as a hash alone. */
  async createToken(given: {
    readonly name: string;
    readonly uses: number;
    readonly validMs: number;
  }): Promise<{ readonly token: string; readonly stored: StoredEnrolmentToken }> {
    const known = await this.#store.list();
    if (known.length >= tokenCountMax) {
      throw new Error(`there are ${tokenCountMax} enrolment tokens already; remove some first`);
    }
    const token = `pte_${randomBytes(24).toString("base64url")}`;
    const createdAtMs = Math.round(this.#clock.epochMs());
    const stored = {
      id: `e-${randomBytes(4).toString("hex")}`,
      name: given.name,
      secretHash: hashOf(token),
      usesLeft: given.uses,
      expiresAtMs: createdAtMs + given.validMs,
      createdAtMs,
    };
    await this.#store.insert(stored);
    return { token, stored };
  }

  listTokens(): Promise<StoredEnrolmentToken[]> {
    return this.#store.list();
  }

  removeToken(id: string): Promise<boolean> {
    return this.#store.remove(id);
  }

  /** Until when everybody is let in, epoch ms; `null` when nobody is. */
  async windowUntilMs(): Promise<number | null> {
    const untilMs = Number((await this.#site.read(windowKey)) ?? 0);
    return untilMs > this.#clock.epochMs() ? untilMs : null;
  }

  /** 0 closes it. */
  async openWindow(forMs: number): Promise<void> {
    await this.#site.write(windowKey, String(Math.round(this.#clock.epochMs() + forMs)));
  }

  async inviteFor(token: string | null): Promise<Invitation> {
    if (token !== null) {
      const found = await this.#store.findBySecret(hashOf(token));
      if (found !== null && found.usesLeft > 0 && found.expiresAtMs > this.#clock.epochMs()) {
        return { kind: "token", redeem: () => this.#store.takeUse(found.id) };
      }
    }
    const isOpen = (await this.windowUntilMs()) !== null;
    return { kind: isOpen ? "window" : null, redeem: () => Promise.resolve(true) };
  }
}
