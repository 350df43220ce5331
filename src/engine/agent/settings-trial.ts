/** New settings on trial: what stood before, and until when the server must be reached with the new ones. */
export type SettingsTrial = {
  readonly changeId: string;
  readonly previousText: string;
  readonly newText: string;
  /** Epoch ms, so that it holds across restarts of the agent and the computer. */
  readonly deadlineAtMs: number;
  readonly returnAfterMs: number;
};

export type TrialStep =
  /** Keep trying with the new settings for so long. */
  { readonly type: "wait"; readonly forMs: number } | { readonly type: "return" };

/**
 * What to do about a trial while the server is not reached. A clock that was set back, as on a computer whose battery
 * is empty, lengthens the trial by one full time at most.
 */
export function stepTrial(trial: SettingsTrial, nowMs: number): TrialStep {
  const leftMs = trial.deadlineAtMs - nowMs;
  return leftMs <= 0 ? { type: "return" } : { type: "wait", forMs: Math.min(leftMs, trial.returnAfterMs) };
}

/** Why the old settings are back, as a sentence for the operator. */
export function describeReturn(trial: SettingsTrial, lastProblem: string): string {
  const seconds = Math.round(trial.returnAfterMs / 1000);
  const why = lastProblem === "" ? "" : `: ${lastProblem}`;
  return `the server was not reached with the new settings within ${seconds} s, the old ones are back${why}`;
}
