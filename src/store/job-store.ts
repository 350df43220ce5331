import type { Job, Task } from "#engine/job/job.ts";
import type { Run } from "#engine/job/run.ts";
import type { Database } from "./database.ts";

const endedStates: readonly Run["state"][] = ["done", "failed", "cancelled"];

/** Jobs, and what each computer has done of them. A run is stored before its effects are acted on. */
export class JobStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async insertJob(job: Job, runs: readonly Run[]): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      const { id, name, tasks, createdAtMs } = job;
      await transaction
        .insertInto("jobs")
        .values({ id, name, tasks: JSON.stringify(tasks), createdAtMs })
        .execute();
      for (const run of runs) {
        await transaction.insertInto("runs").values(toRow(run)).execute();
      }
    });
  }

  async putRun(run: Run): Promise<void> {
    const row = toRow(run);
    await this.#db
      .insertInto("runs")
      .values(row)
      .onConflict((conflict) =>
        conflict
          .column("id")
          .doUpdateSet({ hasEnded: row.hasEnded, body: row.body, updatedAtMs: row.updatedAtMs }),
      )
      .execute();
  }

  /** A run and, in the same transaction, that its computer's disk was restored. */
  async putRunWithDeployment(run: Run, deployedAtMs: number): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      const { id, hasEnded, body, updatedAtMs } = toRow(run);
      await transaction
        .updateTable("runs")
        .set({ hasEnded, body, updatedAtMs })
        .where("id", "=", id)
        .execute();
      await transaction
        .updateTable("computers")
        .set({ deployedAtMs })
        .where("id", "=", run.computerId)
        .execute();
    });
  }

  async listJobs(): Promise<Job[]> {
    const rows = await this.#db.selectFrom("jobs").selectAll().orderBy("createdAtMs", "desc").execute();
    return rows.map((row) => ({ ...row, tasks: JSON.parse(row.tasks) as Task[] }));
  }

  async listRuns(): Promise<Run[]> {
    const rows = await this.#db.selectFrom("runs").select("body").execute();
    return rows.map((row) => JSON.parse(row.body) as Run);
  }
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
