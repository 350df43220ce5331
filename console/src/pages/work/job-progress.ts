import type { JobResource } from "#api/job-api.ts";
import type { Tone } from "../../ui/pieces.tsx";

export const jobTones: Readonly<Record<JobResource["state"], Tone>> = {
  scheduled: "calm",
  running: "busy",
  done: "good",
  failed: "bad",
  cancelled: "calm",
};

export function percentOf(job: JobResource): number {
  return job.runs.length === 0
    ? 0
    : job.runs.reduce((sum, { percent }) => sum + percent, 0) / job.runs.length;
}
