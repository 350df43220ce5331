import type { Run } from "#engine/job/run.ts";
import { JobStore } from "#store/job-store.ts";

/*
 * Loaded into a server before its own program: ends it by SIGKILL at its n-th step of a run, just before the step is
 * stored or just after, before anything is done about it.
 * environment: PORTOLAN_TEST_KILL_AT=N, PORTOLAN_TEST_KILL_PHASE=before|after
 */
const killAt = Number(process.env["PORTOLAN_TEST_KILL_AT"] ?? "0");
const phase = process.env["PORTOLAN_TEST_KILL_PHASE"];
let stepCount = 0;

// The prototype's own method, called for each instance below.
// oxlint-disable-next-line typescript/unbound-method
const putRun = JobStore.prototype.putRun;

JobStore.prototype.putRun = async function (this: JobStore, run: Run, isStep = false): Promise<void> {
  stepCount += isStep ? 1 : 0;
  const isTheOne = isStep && stepCount === killAt;
  if (isTheOne && phase === "before") {
    process.kill(process.pid, "SIGKILL");
  }
  await putRun.call(this, run, isStep);
  if (isTheOne) {
    process.kill(process.pid, "SIGKILL");
  }
};
