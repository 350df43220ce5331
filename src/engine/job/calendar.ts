import { Cron } from "croner";

/** A time, time zone or pattern that could not be understood. */
export class ScheduleError extends Error {
  readonly code = "bad-schedule";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ScheduleError";
  }
}

/**
 * The next time that a pattern names, strictly after `afterMs`; `null` for never. A local time that a change of the
 * clock skips comes right after the change, one that comes twice counts once.
 *
 * @param pattern minute, hour, day, month, day of the week; or one local time, `2026-12-01T18:00:00`
 * @param timeZone IANA name
 * @throws ScheduleError
 */
export function nextCalendarTimeMs(pattern: string, timeZone: string, afterMs: number): number | null {
  checkTimeZone(timeZone);
  try {
    const cron = new Cron(pattern, { timezone: timeZone, paused: true });
    // An instant that we were given, not the clock.
    // oxlint-disable-next-line no-restricted-globals
    return cron.nextRun(new Date(afterMs))?.getTime() ?? null;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    throw new ScheduleError(`${JSON.stringify(pattern)} is no time of a calendar: ${reason}`, {
      cause: error,
    });
  }
}

/** @throws ScheduleError when there is no such time zone */
export function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone }).format(0);
  } catch (error) {
    throw new ScheduleError(
      `there is no time zone ${JSON.stringify(timeZone)}; they are like Europe/Berlin`,
      {
        cause: error,
      },
    );
  }
}
