import { checkTimeZone, nextCalendarTimeMs, ScheduleError } from "./calendar.ts";

/** When a job begins, and how it repeats. Without one it begins at once, when it is assigned. */
export type Schedule = {
  /** First time, local to `timeZone`: `2026-12-01T18:00`. `null`: at once, or at the first time of `repeat`. */
  readonly at: string | null;
  readonly timeZone: string;
  readonly repeat:
    | null
    /** Five fields: minute, hour, day, month, day of the week. */
    | { readonly type: "calendar"; readonly pattern: string }
    /** So long after the first time, and again, and again. */
    | { readonly type: "interval"; readonly everyMs: number };
};

/** Long before any job. */
const longAgoMs = 0;

/**
 * The next time a job begins, strictly after `afterMs`; `null` when it never does again.
 *
 * @param madeAtMs when the job was made, epoch milliseconds: what intervals without a first time count from
 * @throws ScheduleError
 */
export function nextOccurrenceAtMs(schedule: Schedule, madeAtMs: number, afterMs: number): number | null {
  const { at, timeZone, repeat } = schedule;
  const firstMs = at === null ? null : nextCalendarTimeMs(`${at}:00`, timeZone, longAgoMs);
  if (repeat === null) {
    return firstMs !== null && firstMs > afterMs ? firstMs : null;
  }
  if (repeat.type === "interval") {
    const anchorMs = firstMs ?? madeAtMs;
    const passedCount = Math.floor((afterMs - anchorMs) / repeat.everyMs) + 1;
    return anchorMs + Math.max(0, passedCount) * repeat.everyMs;
  }
  const fromMs = Math.max(afterMs, (firstMs ?? afterMs + 1) - 1);
  return nextCalendarTimeMs(repeat.pattern, timeZone, fromMs);
}

/** @throws ScheduleError when the time zone, the first time or the repetition is none, or all of it is past */
export function checkSchedule(schedule: Schedule, nowMs: number): void {
  checkTimeZone(schedule.timeZone);
  if (nextOccurrenceAtMs(schedule, nowMs, nowMs - 1) === null) {
    throw new ScheduleError(`${schedule.at ?? "its time"} is past: this job would never begin`);
  }
}
