const countMax = 10_000;
const countPerOwnerMax = 20;

type Kept<Value> = { readonly value: Value; readonly owner: string; readonly untilMs: number };

/** What one request begins and another ends soon: each value is taken once, and in time or not at all. */
export class ShortLived<Value> {
  readonly #lifetimeMs: number;
  /** BOUNDED by `countMax`, and by `countPerOwnerMax` for one owner: the oldest goes. */
  readonly #kept = new Map<string, Kept<Value>>();

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  /** @param owner an address or an account, so that a stranger who begins without end displaces nobody else */
  add(key: string, value: Value, owner: string, nowMs: number): void {
    const ofOwner = [...this.#kept].filter(([, kept]) => kept.owner === owner);
    if (ofOwner.length >= countPerOwnerMax) {
      this.#kept.delete(ofOwner[0]?.[0] ?? "");
    }
    this.#kept.set(key, { value, owner, untilMs: nowMs + this.#lifetimeMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > countMax && oldest !== undefined) {
      this.#kept.delete(oldest);
    }
  }

  /** `null` when it was never there, was taken, or is too old. */
  take(key: string, nowMs: number): Value | null {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    return kept === undefined || kept.untilMs < nowMs ? null : kept.value;
  }
}
