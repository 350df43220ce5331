import type { Logger } from "pino";
import { type Finding, findingKey, type FindingKind } from "#engine/findings/finding.ts";
import type { Clock } from "#platform/clock.ts";
import type { FindingStore, StoredFinding } from "#store/finding-store.ts";

export type FindingListDependencies = {
  readonly store: Pick<FindingStore, "list" | "put" | "remove">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChanged?: (finding: StoredFinding) => void;
};

const findingCountMax = 5000;
/** The same thing seen again is written down again after this long: a noisy segment must not write all day. */
const rewriteDelayMs = 10_000;

/** Everything that is known to be wrong now. In memory first, so that packets never wait for the store. */
export class FindingList {
  readonly #dependencies: FindingListDependencies;
  /** Keyed by kind and subject. BOUNDED by `findingCountMax`; the one that was seen longest ago goes. */
  readonly #findings = new Map<string, StoredFinding>();
  readonly #writtenAtMs = new Map<string, number>();
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(dependencies: FindingListDependencies) {
    this.#dependencies = dependencies;
  }

  async load(): Promise<void> {
    for (const finding of await this.#dependencies.store.list()) {
      this.#findings.set(finding.key, finding);
    }
  }

  /** Newest first. */
  list(): StoredFinding[] {
    return [...this.#findings.values()].toSorted((left, right) => right.lastSeenAtMs - left.lastSeenAtMs);
  }

  ofComputer(macs: readonly string[]): StoredFinding[] {
    return this.list().filter(({ subject }) => subject.type === "computer" && macs.includes(subject.mac));
  }

  note(findings: readonly Finding[]): void {
    const nowMs = Math.round(this.#dependencies.clock.epochMs());
    for (const finding of findings) {
      const key = findingKey(finding);
      const known = this.#findings.get(key);
      const next: StoredFinding = {
        ...finding,
        key,
        firstSeenAtMs: known?.firstSeenAtMs ?? nowMs,
        lastSeenAtMs: nowMs,
        seenCount: (known?.seenCount ?? 0) + 1,
      };
      this.#findings.delete(key);
      this.#findings.set(key, next);
      this.#dropOldest();
      if (nowMs - (this.#writtenAtMs.get(key) ?? 0) >= rewriteDelayMs) {
        this.#writtenAtMs.set(key, nowMs);
        this.#write(() => this.#dependencies.store.put(next));
      }
      if (known === undefined) {
        this.#dependencies.log.warn({ kind: finding.kind, evidence: finding.evidence }, "finding");
        this.#dependencies.onChanged?.(next);
      }
    }
  }

  /** Of these kinds, what a segment still has is in `still`; everything else of them is over. */
  settle(segmentName: string, kinds: readonly FindingKind[], still: readonly Finding[]): void {
    const stillKeys = new Set(still.map(findingKey));
    const over = [...this.#findings.values()].filter(
      ({ key, kind, subject }) =>
        subject.type === "segment" &&
        subject.name === segmentName &&
        kinds.includes(kind) &&
        !stillKeys.has(key),
    );
    for (const { key } of over) {
      this.#findings.delete(key);
      this.#writtenAtMs.delete(key);
    }
    this.#write(() => this.#dependencies.store.remove(over.map(({ key }) => key)));
    this.note(still);
  }

  /** What was noted is in the store, or will be after the store is back. */
  settled(): Promise<void> {
    return this.#lastWrite;
  }

  #dropOldest(): void {
    const [oldest] = this.#findings.keys();
    if (this.#findings.size > findingCountMax && oldest !== undefined) {
      this.#findings.delete(oldest);
      this.#writtenAtMs.delete(oldest);
    }
  }

  #write(work: () => Promise<void>): void {
    this.#lastWrite = this.#lastWrite.then(work).catch((error: unknown) => {
      this.#dependencies.log.warn({ err: error }, "a finding could not be stored; it is in memory");
    });
  }
}
