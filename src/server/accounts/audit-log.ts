import type { Logger } from "pino";
import type { AuditStore } from "#store/audit-store.ts";
import type { Principal } from "./principal.ts";

export type AuditEntry = {
  readonly principal: Pick<Principal, "name" | "type">;
  readonly action: string;
  readonly target?: string | null;
  readonly outcome: "done" | "refused" | "failed";
  readonly detail?: string | null;
  readonly address: string;
};

const secretPattern = /password|secret|proof|code$|token|credential|^answers$/i;
const detailLengthMax = 500;

/** What was asked for, without secrets and not too long. */
export function describeBody(body: unknown): string | null {
  if (body === undefined || body === null) {
    return null;
  }
  const text = JSON.stringify(body, (key, value: unknown) =>
    secretPattern.test(key) && typeof value !== "boolean" ? "…" : value,
  );
  return text.length > detailLengthMax ? `${text.slice(0, detailLengthMax)}…` : text;
}

const refusalsPerMinuteMax = 60;

/** Writes down who did what, from where. What was done is written before its answer leaves. */
export class AuditLog {
  readonly #store: AuditStore;
  readonly #log: Logger;
  readonly #epochMs: () => number;
  /** Times of refusals written within the last minute. BOUNDED by `refusalsPerMinuteMax`. */
  #refusals: number[] = [];

  constructor(store: AuditStore, edges: { readonly log: Logger; readonly epochMs: () => number }) {
    this.#store = store;
    this.#log = edges.log;
    this.#epochMs = edges.epochMs;
  }

  /** @throws StoreError when it cannot be written */
  async record(entry: AuditEntry): Promise<void> {
    const { principal, action, outcome, address } = entry;
    await this.#store.insert({
      atMs: Math.round(this.#epochMs()),
      actor: principal.name,
      actorType: principal.type,
      action,
      target: entry.target?.slice(0, 256) ?? null,
      outcome,
      detail: entry.detail ?? null,
      address,
    });
  }

  /** For refusals: a stranger must neither fill the log nor learn that the store is away. */
  async recordRefusal(entry: Omit<AuditEntry, "outcome">): Promise<void> {
    const nowMs = this.#epochMs();
    this.#refusals = this.#refusals.filter((atMs) => atMs > nowMs - 60_000);
    if (this.#refusals.length >= refusalsPerMinuteMax) {
      return;
    }
    this.#refusals.push(nowMs);
    await this.record({ ...entry, outcome: "refused" }).catch((error: unknown) =>
      this.#log.warn(
        { err: error, action: entry.action },
        "a refusal could not be written into the audit log",
      ),
    );
  }

  list(wanted: Parameters<AuditStore["list"]>[0]): ReturnType<AuditStore["list"]> {
    return this.#store.list(wanted);
  }
}
