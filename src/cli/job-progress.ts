import type { JobResource, RunResource } from "#api/job-api.ts";
import type { ApiClient } from "./api-client.ts";
import { formatBytes, formatDuration } from "./format-units.ts";
import { printable } from "./printable-text.ts";

const barWidth = 24;
const pollDelayMs = 1000;

function formatBar(percent: number): string {
  const filled = Math.round((percent / 100) * barWidth);
  return `${"█".repeat(filled)}${"░".repeat(barWidth - filled)} ${percent.toFixed(0).padStart(3)} %`;
}

/** One line for one computer: bar, state, rate and time left, or the reason. */
export function formatRun(run: RunResource): string {
  const parts = [printable(run.computerName).padEnd(20), formatBar(run.percent), run.state.padEnd(12)];
  if (run.rateBytesPerSecond > 0) {
    const left = run.timeLeftMs === null ? "" : `, ${formatDuration(run.timeLeftMs)} left`;
    parts.push(
      `${formatBytes(run.rateBytesPerSecond)}/s${run.transport === null ? "" : ` ${run.transport}`}${left}`,
    );
  }
  if (run.gate !== null) {
    const { decision, by, text } = run.gate;
    parts.push(
      `${decision === "forced" ? `forced by ${printable(by ?? "somebody")}: ` : ""}${printable(text)}`,
    );
  }
  if (run.reason !== null) {
    parts.push(printable(run.reason));
  }
  return parts.join("  ").trimEnd();
}

/** What a task is, in a word or two; its own name first. */
function formatTask(task: unknown): string {
  const { kind = "", name } = (task ?? {}) as { readonly kind?: unknown; readonly name?: unknown };
  return printable(typeof name === "string" ? `${name} (${String(kind)})` : String(kind));
}

/** The tasks in a row, and how many computers are at each. */
function formatTasks(tasks: readonly unknown[], runs: readonly RunResource[]): string {
  const counts = new Map<number, number>();
  for (const run of runs.filter(({ endedAt }) => endedAt === null)) {
    counts.set(run.taskIndex, (counts.get(run.taskIndex) ?? 0) + 1);
  }
  return tasks
    .map((task, index) => {
      const count = counts.get(index);
      return `${formatTask(task)}${count === undefined ? "" : ` [${count}]`}`;
    })
    .join(" → ");
}

export function formatJob(job: JobResource): string {
  const next = job.nextAt === null ? "" : `  next ${new Date(job.nextAt).toISOString()}`;
  const own = job.runs.filter(({ condition }) => condition === null);
  return [
    `job ${job.id}  ${printable(job.name)}  ${job.state}${next}`,
    ...job.conditions.map(({ name, tasks }) => {
      const runs = job.runs.filter(({ condition }) => condition === name);
      return `  if ${printable(name)}: ${formatTasks(tasks, runs)}`;
    }),
    ...(job.tasks.length === 0
      ? []
      : [`  ${job.conditions.length > 0 ? "else: " : ""}${formatTasks(job.tasks, own)}`]),
    ...job.runs.map(formatRun),
  ].join("\n");
}

/** Redraws in place on a terminal; elsewhere prints a computer's line when its state has changed. */
class ProgressView {
  readonly #stdout: NodeJS.WriteStream;
  #drawnLineCount = 0;
  /** Keyed by computer id. BOUNDED by the job's computers. */
  readonly #printed = new Map<string, string>();

  constructor(stdout: NodeJS.WriteStream) {
    this.#stdout = stdout;
  }

  show(job: JobResource): void {
    if (this.#stdout.isTTY) {
      this.#redraw(job);
    } else {
      this.#printChanges(job);
    }
  }

  #redraw(job: JobResource): void {
    const width = this.#stdout.columns;
    const lines = formatJob(job)
      .split("\n")
      .map((line) => line.slice(0, width - 1));
    const up = this.#drawnLineCount === 0 ? "" : `\u001b[${this.#drawnLineCount}A`;
    this.#stdout.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join("")}`);
    this.#drawnLineCount = lines.length;
  }

  #printChanges(job: JobResource): void {
    for (const run of job.runs) {
      // Every tenth of the way is worth a line, every percent is not.
      const key = `${run.state} ${Math.floor(run.percent / 10)} ${run.reason ?? ""}`;
      if (this.#printed.get(run.computerId) !== key) {
        this.#printed.set(run.computerId, key);
        this.#stdout.write(`${formatRun(run)}\n`);
      }
    }
  }
}

/**
 * Follows a job to its end. A server that is restarted meanwhile is waited for: the job goes on when it is back.
 *
 * @throws ApiClientError when the server stays away for two minutes
 */
export async function watchJob(
  client: ApiClient,
  jobId: string,
  stdout: NodeJS.WriteStream | null,
): Promise<JobResource> {
  const view = stdout === null ? null : new ProgressView(stdout);
  const awayMsMax = 120_000;
  let awaySinceMs: number | null = null;
  for (;;) {
    try {
      const job = await client.call("showJob", { id: jobId });
      awaySinceMs = null;
      view?.show(job);
      if (job.state !== "running") {
        return job;
      }
    } catch (error) {
      const isAway = error instanceof Error && "code" in error && error.code === "no-server";
      awaySinceMs ??= Date.now();
      if (!isAway || Date.now() - awaySinceMs > awayMsMax) {
        throw error;
      }
    }
    await new Promise((resolve) => {
      setTimeout(resolve, pollDelayMs);
    });
  }
}

/** The closing sentences of a watched job. */
export function summariseJob(job: JobResource): string {
  const failed = job.runs.filter((run) => run.state === "failed");
  const done = job.runs.filter((run) => run.state === "done");
  const lines = [`job ${job.id} ${job.state}: ${done.length} of ${job.runs.length} computers done`];
  for (const run of failed) {
    lines.push(`  ${printable(run.computerName)} failed: ${printable(run.reason ?? "no reason given")}`);
  }
  return lines.join("\n");
}
