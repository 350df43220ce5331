import type { Transaction } from "kysely";
import type { Job } from "#engine/job/job.ts";
import type { Assigning, Assignment } from "#engine/job/occurrence.ts";
import type { Run } from "#engine/job/run.ts";
import type { Database } from "./database.ts";
import type { Tables } from "./tables.ts";

const endedStates: readonly Run["state"][] = ["done", "failed", "cancelled", "skipped"];

/** A job with who has it. */
export type StoredJob = { readonly job: Job; readonly assignment: Assignment };

/** A point in a run's history. */
export type StoredStep = Pick<Run, "state" | "taskIndex" | "attempt" | "waitFor" | "exitCode" | "reason"> & {
  readonly runId: string;
  readonly atMs: number;
};

/** Jobs, and what each computer has done of them. A run is stored before its effects are acted on. */
export class JobStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async insertJob(job: Job, { assignment, runs }: Assigning): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      const { id, name, createdAtMs, tasks, ...rules } = job;
      await transaction
        .insertInto("jobs")
        .values({
          ...{ id, name, createdAtMs },
          tasks: JSON.stringify(tasks),
          rules: JSON.stringify(rules),
          ...toAssignmentRow(assignment),
        })
        .execute();
      await insertRuns(transaction, runs);
    });
  }

  /** The job has begun (again): its assignment and the new runs, together. */
  async assign(jobId: string, { assignment, runs }: Assigning): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await transaction
        .updateTable("jobs")
        .set(toAssignmentRow(assignment))
        .where("id", "=", jobId)
        .execute();
      await insertRuns(transaction, runs);
    });
  }

  /** @param isStep a new point of its history, kept beside it */
  async putRun(run: Run, isStep = false): Promise<void> {
    await this.#db.transaction().execute((transaction) => writeRun(transaction, run, isStep));
  }

  /** A run and, in the same transaction, that its computer's disk was restored. */
  async putRunWithDeployment(run: Run, deployedAtMs: number): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      await writeRun(transaction, run, true);
      await transaction
        .updateTable("computers")
        .set({ deployedAtMs })
        .where("id", "=", run.computerId)
        .execute();
    });
  }

  async listJobs(): Promise<StoredJob[]> {
    const rows = await this.#db.selectFrom("jobs").selectAll().orderBy("createdAtMs", "desc").execute();
    return rows.map(({ id, name, createdAtMs, tasks, rules, assignment, nextAtMs }) => ({
      job: { id, name, createdAtMs, tasks: JSON.parse(tasks), ...JSON.parse(rules) } as Job,
      assignment: {
        ...(JSON.parse(assignment) as Pick<Assignment, "computerIds" | "occurrence">),
        nextAtMs,
      },
    }));
  }

  async listRuns(): Promise<Run[]> {
    const rows = await this.#db.selectFrom("runs").select("body").execute();
    return rows.map((row) => JSON.parse(row.body) as Run);
  }

  /** The newest steps of one run, oldest first, at most `stepsMax`. */
  async listSteps(runId: string): Promise<StoredStep[]> {
    const rows = await this.#db
      .selectFrom("runSteps")
      .selectAll()
      .where("runId", "=", runId)
      .orderBy("id", "desc")
      .limit(stepsMax)
      .execute();
    return rows
      .toReversed()
      .map((row) => ({ ...(JSON.parse(row.body) as StoredStep), runId, atMs: row.atMs }));
  }
}

const stepsMax = 500;

function toAssignmentRow({ computerIds, occurrence, nextAtMs }: Assignment) {
  return { assignment: JSON.stringify({ computerIds, occurrence }), nextAtMs };
}

async function insertRuns(transaction: Transaction<Tables>, runs: readonly Run[]): Promise<void> {
  for (const run of runs) {
    await transaction.insertInto("runs").values(toRow(run)).execute();
    await insertStep(transaction, run);
  }
}

async function writeRun(transaction: Transaction<Tables>, run: Run, isStep: boolean): Promise<void> {
  const row = toRow(run);
  const { hasEnded, body, updatedAtMs } = row;
  await transaction
    .insertInto("runs")
    .values(row)
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ hasEnded, body, updatedAtMs }))
    .execute();
  if (isStep) {
    await insertStep(transaction, run);
  }
}

async function insertStep(transaction: Transaction<Tables>, run: Run): Promise<void> {
  const { id, computerId, updatedAtMs, state, taskIndex, attempt, waitFor, exitCode, reason } = run;
  const body = JSON.stringify({ state, taskIndex, attempt, waitFor, exitCode, reason });
  await transaction
    .insertInto("runSteps")
    .values({ runId: id, computerId, atMs: Math.round(updatedAtMs), body })
    .execute();
}

function toRow(run: Run) {
  const { id, jobId, computerId, updatedAtMs } = run;
  return {
    id,
    jobId,
    computerId,
    hasEnded: endedStates.includes(run.state) ? 1 : 0,
    body: JSON.stringify(run),
    updatedAtMs: Math.round(updatedAtMs),
  };
}
