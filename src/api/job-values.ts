import { z } from "zod";

const unitsMs = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const durationPattern = /^(\d{1,9})\s?(ms|s|min|h|d)$/;

/** Milliseconds, as a number or as text such as `90 s`, `10 min`, `2 h`, `1 d`. */
export function durationMs(maxMs: number) {
  return z
    .union([
      z.number().int().nonnegative(),
      z.string().regex(durationPattern, "is like 90 s, 10 min, 2 h or 1 d"),
    ])
    .transform((written): number => {
      const [, count = "0", unit = "ms"] = durationPattern.exec(String(written)) ?? [];
      return typeof written === "number" ? written : Number(count) * unitsMs[unit as keyof typeof unitsMs];
    })
    .refine((value) => value <= maxMs, `is longer than ${maxMs / 3_600_000} hours`);
}

const codesPattern = /^(other|-?\d{1,10}(-\d{1,10})?)$/;
const actionPattern = /^(continue|end|stop|jump \S.{0,62})$/;
const actionText = "is continue, end, stop, or jump and the name of a task";

/** What is the same for tasks of every kind. */
export const taskRules = {
  name: z.string().min(1).max(64).optional().describe("Where a return code may jump to."),
  codes: z
    .record(
      z.string().regex(codesPattern, "is a code such as 3010, a range such as 1-9, or other"),
      z.string(actionText).regex(actionPattern, actionText),
    )
    .optional()
    .describe(
      "What follows a return code: continue, end (done), stop (failed), or jump NAME. Without a rule 0 continues and anything else stops.",
    ),
  retry: z
    .object({
      attempts: z.number().int().min(2).max(20).describe("Altogether."),
      delayMs: durationMs(3_600_000)
        .default(30_000)
        .describe("Before the second; doubled before each one after it."),
    })
    .strict()
    .optional()
    .describe("A failure is tried again."),
};

/** Facts that a condition may ask for. The server knows what they mean. */
export const factNames = [
  "name",
  "hostName",
  "model",
  "serial",
  "uuid",
  "mac",
  "address",
  "segment",
  "environment",
  "firmware",
  "secureBoot",
  "processor",
  "processorCount",
  "memoryBytes",
  "diskCount",
  "diskBytes",
  "diskModel",
  "operatingSystem",
  "package",
  "user",
] as const;

const factTestSchema = z.union([
  z.string().min(1).max(256),
  z.number(),
  z.boolean(),
  z.array(z.string().min(1).max(256)).min(1).max(256),
]);

const groupSchema = z.partialRecord(z.enum(factNames), factTestSchema);

/** All of these must hold; of a list, any. */
export const conditionSchema = z
  .union([groupSchema, z.array(groupSchema).min(1).max(32)])
  .describe(
    'Facts and what they must be: text with *, a list of texts, true or false, or a comparison such as ">= 8 GiB". All must hold; of a list of such groups, any.',
  );

/** A time without a zone, and the zone. */
export const scheduleSchema = z
  .object({
    at: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}$/, "is a local time such as 2026-12-01 18:00")
      .optional()
      .describe("First time, local to timeZone: 2026-12-01 18:00."),
    timeZone: z.string().min(1).max(64).default("UTC").describe("IANA name: Europe/Berlin."),
    repeat: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("Minute, hour, day, month, day of the week: 0 18 * * 5 is every Friday at 18:00."),
    everyMs: durationMs(366 * 86_400_000)
      .refine((value) => value >= 60_000, "is less than a minute")
      .optional()
      .describe("Again so long after the first time, and again: 2 h."),
  })
  .strict()
  .refine(
    ({ repeat, everyMs }) => repeat === undefined || everyMs === undefined,
    "has both repeat and everyMs",
  )
  .refine(
    ({ at, repeat, everyMs }) => at !== undefined || repeat !== undefined || everyMs !== undefined,
    "has neither at nor repeat nor everyMs",
  );

/** `mon-fri 18:00-06:00`. */
export const windowSchema = z
  .string()
  .regex(
    /^(daily|(sun|mon|tue|wed|thu|fri|sat)([-,](sun|mon|tue|wed|thu|fri|sat))*) \d{1,2}:\d{2}-\d{1,2}:\d{2}$/i,
    "is like mon-fri 18:00-06:00 or daily 22:00-05:00",
  );
