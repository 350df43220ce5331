/** How long each step of a run may take, and how often it is tried. All in milliseconds or counts. */
export type RunLimits = {
  /** From wake or restart to the preboot agent's connection. */
  readonly prebootMs: number;
  /** From restart to the installed agent's connection; a first boot after imaging can be slow. */
  readonly osMs: number;
  readonly wakeAgainMs: number;
  /** A computer that vanished for this long after a restart may have switched itself off: it is woken. */
  readonly wakeAfterRestartMs: number;
  /** Each boot request seen gives the boot its full time again, this often. */
  readonly bootOffersMax: number;
  /** Restarts to reach one environment. */
  readonly restartsMax: number;
  /** Waiting for a session to begin, for the others of the job included. */
  readonly joinMs: number;
  /** Without any progress while imaging. */
  readonly stallMs: number;
  /** Without a connection during a task. */
  readonly reconnectMs: number;
  /** Times that one idempotent task is begun. */
  readonly attemptsMax: number;
  /** Added to a script's own time-out, which the agent enforces. */
  readonly scriptGraceMs: number;
  readonly powerOffMs: number;
  /** Jumps by return codes in one run: a job that jumps back must come to an end. */
  readonly jumpsMax: number;
  /** The longest pause before another attempt. */
  readonly retryDelayMsMax: number;
  /** After a server start, for agents to find it again. */
  readonly serverGraceMs: number;
};

export const defaultRunLimits: RunLimits = {
  prebootMs: 10 * 60_000,
  osMs: 15 * 60_000,
  wakeAgainMs: 30_000,
  wakeAfterRestartMs: 3 * 60_000,
  bootOffersMax: 3,
  restartsMax: 3,
  joinMs: 45 * 60_000,
  stallMs: 5 * 60_000,
  reconnectMs: 5 * 60_000,
  attemptsMax: 3,
  scriptGraceMs: 30_000,
  powerOffMs: 60_000,
  jumpsMax: 100,
  retryDelayMsMax: 3_600_000,
  serverGraceMs: 2 * 60_000,
};
