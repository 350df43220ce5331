import type { JobResource, PreviewResource, RunResource } from "#api/job-api.ts";
import type { Job, Task } from "#engine/job/job.ts";
import { newestRuns } from "#engine/job/occurrence.ts";
import { previewRun } from "#engine/job/preview-run.ts";
import type { Run } from "#engine/job/run.ts";
import { nextOccurrenceAtMs } from "#engine/job/schedule.ts";
import { summariseJob, summariseRun } from "#engine/job/summarise-job.ts";
import type { StoredComputer } from "#store/computer-store.ts";
import { factsOf } from "./computer-facts.ts";
import type { Scope } from "./accounts/scope.ts";
import type { PortolanServer } from "./server.ts";

export function toRun(server: PortolanServer, job: Job, run: Run): RunResource {
  const { conditionIndex } = run;
  return {
    ...summariseRun(job, run, server.clock.epochMs()),
    ...{ id: run.id, jobId: run.jobId, occurrence: run.occurrence },
    computerId: run.computerId,
    computerName: server.registry.get(run.computerId)?.name ?? run.computerId,
    condition: conditionIndex === null ? null : (job.conditions[conditionIndex]?.name ?? null),
    taskIndex: run.taskIndex,
    exitCode: run.exitCode,
    gate: run.gate ?? null,
    queuedAt: Math.round(run.queuedAtMs),
    startedAt: run.startedAtMs === null ? null : Math.round(run.startedAtMs),
    endedAt: run.endedAtMs === null ? null : Math.round(run.endedAtMs),
    updatedAt: Math.round(run.updatedAtMs),
  };
}

/** An answer file may hold passwords: it goes to the computers it is for, and is shown to nobody. */
function withoutSecrets(task: Task): unknown {
  return task.kind === "deploy-installer" && task.answers !== null
    ? { ...task, answers: { fileName: task.answers.fileName } }
    : task;
}

/** A job with the runs inside of a scope, as if there were no others. */
export function toJob(server: PortolanServer, job: Job, scope: Scope): JobResource {
  const all = [...newestRuns(server.jobs.runsOf(job.id)).values()];
  const runs = all.filter(({ computerId }) => scope.hasComputer(computerId));
  const { nextAtMs, occurrence } = server.jobs.assignmentOf(job.id);
  const wasNeverBegun = job.schedule !== null && nextAtMs === null && runs.length === 0;
  return {
    id: job.id,
    name: job.name,
    createdAt: job.createdAtMs,
    state: wasNeverBegun ? "cancelled" : summariseJob(runs, nextAtMs !== null),
    tasks: job.tasks.map(withoutSecrets),
    conditions: job.conditions.map(({ name, tasks }) => ({ name, tasks: tasks.map(withoutSecrets) })),
    nextAt: nextAtMs,
    occurrence,
    concurrency: job.concurrency,
    runs: runs.map((run) => toRun(server, job, run)),
  };
}

/** What the job would do on these computers as they are now. */
export function toPreview(
  server: PortolanServer,
  job: Job,
  computers: readonly StoredComputer[],
): PreviewResource {
  const nowMs = server.clock.epochMs();
  const segments = server.segments.current();
  return {
    name: job.name,
    startsAt: job.schedule === null ? nowMs : nextOccurrenceAtMs(job.schedule, nowMs, nowMs - 1),
    computers: computers.map((computer) => {
      const environment = server.control.find(computer.id)?.environment ?? null;
      const facts = {
        ...factsOf(computer, segments),
        ...server.management.software.factsOf(computer.id),
        environment,
      };
      const preview = previewRun(job, facts, environment, nowMs);
      const isBusy = server.jobs.runsOfComputer(computer.id).some(({ endedAtMs }) => endedAtMs === null);
      const obstacles = [
        ...(computer.state === "approved"
          ? []
          : [`it is ${computer.state}: ${computer.reason ?? "not approved"}`]),
        ...(preview.steps.length === 0
          ? ["no condition holds, and the job has no other tasks: skipped"]
          : []),
        ...(isBusy ? ["an earlier job of it is not over: this one waits"] : []),
        ...(preview.opensAtMs > nowMs
          ? [`its maintenance window opens at ${new Date(preview.opensAtMs).toISOString()}`]
          : []),
        ...(environment === null && computer.macs.length === 0
          ? ["it is not connected, and without a MAC address it cannot be woken"]
          : []),
      ];
      return {
        ...{ computerId: computer.id, computerName: computer.name, condition: preview.condition },
        ...{ steps: [...preview.steps], obstacles },
      };
    }),
  };
}
