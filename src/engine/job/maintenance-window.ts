import { nextCalendarTimeMs } from "./calendar.ts";

/** A part of the week in one time zone. It ends on the next day when `toMinute` is not after `fromMinute`. */
export type MaintenanceWindow = {
  /** 0 Sunday to 6 Saturday: the days it begins on. */
  readonly days: readonly number[];
  /** Minutes since midnight, 0 to 1440. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** IANA name, `Europe/Berlin`. */
  readonly timeZone: string;
};

const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const dayMinutes = 24 * 60;

function parseDays(text: string): readonly number[] | null {
  if (text === "daily") {
    return [0, 1, 2, 3, 4, 5, 6];
  }
  const days = new Set<number>();
  for (const part of text.split(",")) {
    const [from = "", to = from] = part.trim().split("-");
    const first = dayNames.indexOf(from as (typeof dayNames)[number]);
    const last = dayNames.indexOf(to as (typeof dayNames)[number]);
    if (first === -1 || last === -1) {
      return null;
    }
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) {
        break;
      }
    }
  }
  return [...days].sort((a, b) => a - b);
}

function parseMinute(text: string): number | null {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text);
  const minute = Number(match?.[1]) * 60 + Number(match?.[2]);
  return match === null || Number(match[2]) > 59 || minute > dayMinutes ? null : minute;
}

/** Text such as `mon-fri 18:00-06:00`, `sat,sun 00:00-24:00` or `daily 22:00-05:00`. `null` when it is none. */
export function parseWindow(text: string, timeZone: string): MaintenanceWindow | null {
  const [daysText = "", timesText = "", ...rest] = text.trim().toLowerCase().split(/\s+/);
  const [fromText = "", toText = "", ...more] = timesText.split("-");
  const days = parseDays(daysText);
  const fromMinute = parseMinute(fromText);
  const toMinute = parseMinute(toText);
  if (days === null || fromMinute === null || toMinute === null || rest.length > 0 || more.length > 0) {
    return null;
  }
  return { days, fromMinute: fromMinute % dayMinutes, toMinute, timeZone };
}

function localDayAndMinute(
  timeZone: string,
  atMs: number,
): { readonly day: number; readonly minute: number } {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(atMs);
  const part = (type: string): string => parts.find((item) => item.type === type)?.value ?? "";
  return {
    day: dayNames.indexOf(part("weekday").toLowerCase() as (typeof dayNames)[number]),
    minute: Number(part("hour")) * 60 + Number(part("minute")),
  };
}

function isOpen(window: MaintenanceWindow, atMs: number): boolean {
  const { days, fromMinute, toMinute, timeZone } = window;
  const { day, minute } = localDayAndMinute(timeZone, atMs);
  if (toMinute > fromMinute) {
    return days.includes(day) && minute >= fromMinute && minute < toMinute;
  }
  const yesterday = (day + 6) % 7;
  return (days.includes(day) && minute >= fromMinute) || (days.includes(yesterday) && minute < toMinute);
}

/**
 * When work may begin next: `nowMs` itself inside of a window or when there is none, else the next opening.
 *
 * @param nowMs epoch milliseconds
 */
export function nextOpenAtMs(windows: readonly MaintenanceWindow[], nowMs: number): number {
  if (windows.length === 0 || windows.some((window) => isOpen(window, nowMs))) {
    return nowMs;
  }
  const openings = windows.map(({ days, fromMinute, timeZone }) => {
    const pattern = `${fromMinute % 60} ${Math.floor(fromMinute / 60)} * * ${days.join(",")}`;
    return nextCalendarTimeMs(pattern, timeZone, nowMs) ?? nowMs;
  });
  return Math.min(...openings);
}
