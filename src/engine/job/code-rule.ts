import type { Task } from "./job.ts";

/** What becomes of a run after a task ended with a code. `end` is done, `stop` is failed. */
export type CodeAction =
  | { readonly type: "continue" }
  | { readonly type: "end" }
  | { readonly type: "stop" }
  | { readonly type: "jump"; readonly taskName: string };

/** Codes from `from` to `to`, both included; `other`: every code but 0 that no rule names, and failures without one. */
export type CodeRule = {
  readonly codes: { readonly from: number; readonly to: number } | "other";
  readonly action: CodeAction;
};

/**
 * What a task's rules make of its end.
 *
 * @param exitCode `null` where no program ended: it never started, or was ended at its time limit
 */
export function decideAfter(task: Task, outcome: "done" | "failed", exitCode: number | null): CodeAction {
  const code = exitCode ?? (outcome === "done" ? 0 : null);
  const rules = task.codes ?? [];
  const named = rules.find(
    ({ codes }) => codes !== "other" && code !== null && code >= codes.from && code <= codes.to,
  );
  if (named !== undefined) {
    return named.action;
  }
  const other = code === 0 ? undefined : rules.find(({ codes }) => codes === "other");
  return other?.action ?? (outcome === "done" ? { type: "continue" } : { type: "stop" });
}

/** Text such as `0`, `1-9` or `other`. `null` when it is none of them. */
export function parseCodes(text: string): CodeRule["codes"] | null {
  if (text === "other") {
    return text;
  }
  const match = /^(-?\d{1,10})(?:-(\d{1,10}))?$/.exec(text.trim());
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  return match === null || to < from ? null : { from, to };
}

/** Text such as `continue`, `end`, `stop` or `jump NAME`. `null` when it is none of them. */
export function parseCodeAction(text: string): CodeAction | null {
  const [word = "", ...rest] = text.trim().split(/\s+/);
  const taskName = rest.join(" ");
  if ((word === "continue" || word === "end" || word === "stop") && taskName === "") {
    return { type: word };
  }
  return word === "jump" && taskName !== "" ? { type: "jump", taskName } : null;
}
