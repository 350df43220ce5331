import type { RouteBody } from "#api/contract.ts";

export type Repetition = "once" | "daily" | "weekly" | "monthly" | "hours" | "pattern";

/** What was chosen of when a job begins, and how much of it at a time. All as typed. */
export type JobTimes = {
  readonly begins: "now" | "later";
  /** Local to `timeZone`, as `2026-12-01T18:00`. */
  readonly at: string;
  readonly timeZone: string;
  readonly repetition: Repetition;
  readonly everyHours: number;
  /** Minute, hour, day, month, day of the week. */
  readonly pattern: string;
  readonly hasWindow: boolean;
  readonly windowDays: string;
  readonly windowFrom: string;
  readonly windowTo: string;
  /** Empty: as many as there are. */
  readonly concurrency: string;
};

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** Choices before anything is chosen: at once, and tonight for those who choose later. */
export function startTimes(now: Date, timeZone: string): JobTimes {
  return {
    begins: "now",
    at: `${now.getFullYear()}-${twoDigits(now.getMonth() + 1)}-${twoDigits(now.getDate())}T22:00`,
    timeZone,
    repetition: "once",
    everyHours: 24,
    pattern: "0 18 * * 5",
    hasWindow: false,
    windowDays: "daily",
    windowFrom: "22:00",
    windowTo: "05:00",
    concurrency: "",
  };
}

type JobTimesRequest = Pick<
  RouteBody<"createJob">,
  "schedule" | "windows" | "windowTimeZone" | "concurrency"
>;

/** The pattern of a repetition that begins at a local time; `null`: it is not one of the calendar. */
function toPattern({ repetition, at, pattern }: JobTimes): string | null {
  const [date = "", time = ""] = at.split("T");
  const [hour, minute] = time.split(":").map(Number);
  const clock = `${minute} ${hour}`;
  switch (repetition) {
    case "once":
    case "hours":
      return null;
    case "daily":
      return `${clock} * * *`;
    case "weekly":
      return `${clock} * * ${new Date(`${date}T12:00:00Z`).getUTCDay()}`;
    case "monthly":
      return `${clock} ${Number(date.split("-")[2])} * *`;
    case "pattern":
      return pattern.trim();
  }
}

/** The choices as a request has them. Nothing chosen is nothing sent. */
export function toJobTimes(times: JobTimes): JobTimesRequest {
  const { begins, at, timeZone, repetition, everyHours, hasWindow, concurrency } = times;
  const repeat = toPattern(times);
  return {
    ...(begins === "now"
      ? {}
      : {
          schedule: {
            at,
            timeZone,
            ...(repeat === null ? {} : { repeat }),
            ...(repetition === "hours" ? { everyMs: everyHours * 3_600_000 } : {}),
          },
        }),
    ...(hasWindow
      ? {
          windows: [`${times.windowDays} ${times.windowFrom}-${times.windowTo}`],
          windowTimeZone: timeZone,
        }
      : {}),
    ...(concurrency.trim() === "" ? {} : { concurrency: Number(concurrency) }),
  };
}
