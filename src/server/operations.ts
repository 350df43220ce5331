import { randomBytes } from "node:crypto";
import type { OperationResource } from "#api/server-api.ts";

export type OperationProgress = { readonly percent: number; readonly detail: string };

const operationCountMax = 200;

/** Long work that a caller starts and then asks after. */
export class Operations {
  /** Keyed by id. BOUNDED by `operationCountMax`: the oldest that has ended is forgotten. */
  readonly #operations = new Map<string, OperationResource>();

  start(
    title: string,
    work: (report: (progress: OperationProgress) => void) => Promise<{
      readonly result: unknown;
      readonly detail: string;
      readonly verdict?: OperationResource["verdict"];
    }>,
  ): OperationResource {
    const id = `o-${randomBytes(4).toString("hex")}`;
    const first: OperationResource = {
      id,
      title,
      state: "running",
      percent: 0,
      detail: "",
      verdict: null,
      result: null,
      error: null,
    };
    this.#forgetOldest();
    this.#operations.set(id, first);
    const update = (change: Partial<OperationResource>): void => {
      this.#operations.set(id, { ...(this.#operations.get(id) ?? first), ...change });
    };
    work((progress) => update(progress)).then(
      ({ result, detail, verdict = null }) =>
        update({ state: "done", percent: 100, result, detail, verdict }),
      (error: unknown) =>
        update({ state: "failed", error: error instanceof Error ? error.message : String(error) }),
    );
    return first;
  }

  find(id: string): OperationResource | null {
    return this.#operations.get(id) ?? null;
  }

  #forgetOldest(): void {
    for (const [id, operation] of this.#operations) {
      if (this.#operations.size < operationCountMax) {
        return;
      }
      if (operation.state !== "running") {
        this.#operations.delete(id);
      }
    }
  }
}
