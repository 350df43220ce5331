import { UsageError } from "./cli-context.ts";

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;

/** `30`, `30s`, `5m`, `2h` or `7d`, as milliseconds. @throws UsageError */
export function readDuration(text: string): number {
  const match = /^([0-9]{1,5})([smhd])?$/.exec(text);
  if (match === null) {
    throw new UsageError(`${text} is no time; write it as 30s, 5m, 2h or 7d`);
  }
  // The pattern knows these units alone.
  return Number(match[1]) * unitsMs[(match[2] ?? "s") as keyof typeof unitsMs];
}
