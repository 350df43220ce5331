import assert from "node:assert/strict";
import { test } from "node:test";
import { createJobSchema } from "#api/job-api.ts";
import { startTimes, toJobTimes } from "#console/src/pages/work/job-times.ts";

const base = startTimes(new Date(2026, 10, 25, 9), "Europe/Berlin");
const job = { name: "n", tasks: [{ kind: "restart" as const }] };

test("times of a job: nothing chosen sends nothing", () => {
  assert.deepEqual(toJobTimes(base), {});
});

test("times of a job: each repetition is a request that the server takes", () => {
  const repeats = (["once", "daily", "weekly", "monthly", "hours", "pattern"] as const).map((repetition) => {
    const times = toJobTimes({ ...base, begins: "later", repetition, everyHours: 2 });
    assert.equal(createJobSchema.safeParse({ ...job, ...times }).error, undefined);
    return times.schedule?.repeat ?? times.schedule?.everyMs ?? null;
  });
  // 25 November 2026 is a Wednesday.
  assert.deepEqual(repeats, [null, "0 22 * * *", "0 22 * * 3", "0 22 25 * *", 7_200_000, "0 18 * * 5"]);
});

test("times of a job: a window keeps its zone, with a job that begins at once too", () => {
  const times = toJobTimes({ ...base, hasWindow: true, windowDays: "mon-fri", concurrency: "4" });
  assert.deepEqual(times, {
    windows: ["mon-fri 22:00-05:00"],
    windowTimeZone: "Europe/Berlin",
    concurrency: 4,
  });
  assert.equal(createJobSchema.safeParse({ ...job, ...times }).error, undefined);
});
