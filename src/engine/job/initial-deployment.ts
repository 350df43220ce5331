import type { Settings } from "#plan/settings.ts";

/** Initial Deployment: what a computer gets that has come into preboot and has no history here. */
export type InitialSettings = Pick<
  Settings,
  | "initialDeployment.action"
  | "initialDeployment.jobs"
  | "initialDeployment.default"
  | "initialDeployment.menuMs"
  | "initialDeployment.mayErase"
>;

/** The id of a job, `local` for the computer's own disk, or `wait` for an operator. */
export type InitialChoice = string;

/** A job that the settings name and that is there. */
export type OfferedJob = { readonly id: string; readonly name: string; readonly isDestructive: boolean };

export type Newcomer = {
  readonly environment: "preboot" | "os";
  /** It has or had work here, or an image of ours. */
  readonly hasHistory: boolean;
  /** It is due: the computer came as new and nothing was decided yet, or an operator has asked for it. */
  readonly isAsked: boolean;
};

export type InitialEntry = {
  readonly choice: InitialChoice;
  readonly label: string;
  readonly isDestructive: boolean;
};

export type InitialMenu = {
  readonly entries: readonly InitialEntry[];
  /** Taken when the time is over; `null`: nothing is, a person must choose. */
  readonly defaultChoice: InitialChoice | null;
  readonly timeoutMs: number | null;
};

/** Why the computer waits in preboot for an operator. */
export type InitialWait =
  | "action-is-wait"
  | "action-is-local"
  | "default-is-wait"
  | "default-job-is-gone"
  | "default-erases"
  | "somebody-chose-to-wait";

export type InitialOutcome =
  | { readonly type: "assign"; readonly jobId: string }
  | { readonly type: "local" }
  | { readonly type: "wait"; readonly reason: InitialWait };

export type InitialDecision =
  | { readonly type: "leave"; readonly reason: "not-in-preboot" | "not-new" }
  | { readonly type: "menu"; readonly menu: InitialMenu }
  | InitialOutcome;

const fixedEntries: readonly InitialEntry[] = [
  { choice: "local", label: "Boot from the local disk", isDestructive: false },
  { choice: "wait", label: "Wait for an operator", isDestructive: false },
];

/**
 * What a computer gets that has just connected. Only approved computers connect, so nothing here goes around approval; and a
 * default that erases a disk is taken without a person only where `initialDeployment.mayErase` says so.
 *
 * @param jobs those of the settings that are there
 */
export function decideInitialDeployment(
  settings: InitialSettings,
  newcomer: Newcomer,
  jobs: readonly OfferedJob[],
): InitialDecision {
  if (newcomer.environment !== "preboot") {
    return { type: "leave", reason: "not-in-preboot" };
  }
  if (newcomer.hasHistory && !newcomer.isAsked) {
    return { type: "leave", reason: "not-new" };
  }
  switch (settings["initialDeployment.action"]) {
    case "wait":
      return { type: "wait", reason: "action-is-wait" };
    case "local":
      return { type: "wait", reason: "action-is-local" };
    case "menu":
      return { type: "menu", menu: composeMenu(settings, jobs) };
    case "job":
      return takeDefault(settings, jobs);
  }
}

/** The menu as the settings describe it. Without a default that may be taken there is no time limit either. */
export function composeMenu(settings: InitialSettings, jobs: readonly OfferedJob[]): InitialMenu {
  const offered = settings["initialDeployment.jobs"].flatMap((id) => jobs.filter((job) => job.id === id));
  const entries = offered.map(({ id, name, isDestructive }) => ({ choice: id, label: name, isDestructive }));
  const wanted = settings["initialDeployment.default"];
  const all = [...entries, ...fixedEntries];
  const found = all.find(({ choice }) => choice === wanted);
  const mayBeTaken = found !== undefined && obstacleToDefault(settings, found) === null;
  const timeoutMs = settings["initialDeployment.menuMs"];
  return {
    entries: all,
    defaultChoice: mayBeTaken ? wanted : null,
    timeoutMs: mayBeTaken && timeoutMs > 0 ? timeoutMs : null,
  };
}

function takeDefault(settings: InitialSettings, jobs: readonly OfferedJob[]): InitialOutcome {
  const wanted = settings["initialDeployment.default"];
  if (wanted === "local") {
    return { type: "local" };
  }
  if (wanted === "wait") {
    return { type: "wait", reason: "default-is-wait" };
  }
  const job = jobs.find(({ id }) => id === wanted);
  const reason = job === undefined ? "default-job-is-gone" : obstacleToDefault(settings, job);
  return reason === null ? { type: "assign", jobId: wanted } : { type: "wait", reason };
}

function obstacleToDefault(
  settings: InitialSettings,
  { isDestructive }: { readonly isDestructive: boolean },
): "default-erases" | null {
  return isDestructive && !settings["initialDeployment.mayErase"] ? "default-erases" : null;
}

/**
 * What becomes of an answer to a menu. The computer shows the menu and counts the time, so what it says is checked against
 * what it was shown.
 *
 * @returns `null` when the menu has no such entry, or time alone may not choose it
 */
export function judgeChoice(
  menu: InitialMenu,
  answer: { readonly choice: InitialChoice; readonly by: "person" | "timeout" },
): InitialOutcome | null {
  const isOffered = menu.entries.some(({ choice }) => choice === answer.choice);
  const mayChoose =
    answer.by === "person" || (menu.timeoutMs !== null && answer.choice === menu.defaultChoice);
  if (!isOffered || !mayChoose) {
    return null;
  }
  switch (answer.choice) {
    case "local":
      return { type: "local" };
    case "wait":
      return {
        type: "wait",
        reason: answer.by === "person" ? "somebody-chose-to-wait" : "default-is-wait",
      };
    default:
      return { type: "assign", jobId: answer.choice };
  }
}

/** What of the settings will not come about, as sentences with the way out. */
export function listInitialProblems(settings: InitialSettings, jobs: readonly OfferedJob[]): string[] {
  const action = settings["initialDeployment.action"];
  if (action === "wait" || action === "local") {
    return [];
  }
  const wanted = settings["initialDeployment.default"];
  const isJob = wanted !== "local" && wanted !== "wait";
  const job = jobs.find(({ id }) => id === wanted);
  const gone = settings["initialDeployment.jobs"].filter((id) => !jobs.some((one) => one.id === id));
  return [
    ...gone.map((id) => `the menu names job ${id}, which is not there; choose the jobs again`),
    ...(isJob && job === undefined ? [`the default job ${wanted} is not there; choose another default`] : []),
    ...(job?.isDestructive === true && obstacleToDefault(settings, job) !== null
      ? [
          `the default job ${job.name} erases disks, so it is not taken without a person at the computer; allow it with mayErase, or choose another default`,
        ]
      : []),
    ...(action === "menu" && isJob && !settings["initialDeployment.jobs"].includes(wanted)
      ? [`the default job ${wanted} is not in the menu, so the menu waits for a person; add it to the jobs`]
      : []),
    ...(action === "job" && wanted === "wait"
      ? ["there is no default job, so new computers wait; choose a default"]
      : []),
  ];
}

/** Why a new computer waits in preboot, for its history and its screen. */
export function describeInitialWait(reason: InitialWait): string {
  return waitSentences[reason];
}

const waitSentences: Readonly<Record<InitialWait, string>> = {
  "action-is-wait": "It waits in preboot for an operator to give it a job.",
  "action-is-local":
    "New computers are to boot from their own disk; this one was in preboot already and waits.",
  "default-is-wait": "Nobody chose, so it waits for an operator to give it a job.",
  "default-job-is-gone":
    "The default job of new computers is not there any more, so it waits for an operator.",
  "default-erases":
    "The default job of new computers erases disks, which initialDeployment.mayErase does not allow; it waits for an operator.",
  "somebody-chose-to-wait": "Somebody chose at the computer that it waits for an operator.",
};
