import assert from "node:assert/strict";
import { test } from "node:test";
import { ScheduleError } from "./calendar.ts";
import { nextOpenAtMs, parseWindow } from "./maintenance-window.ts";
import { checkSchedule, nextOccurrenceAtMs, type Schedule } from "./schedule.ts";

const berlin = { at: null, timeZone: "Europe/Berlin", repeat: null } as const;
const at = (text: string): number => Date.parse(text);
const show = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());

/** The first occurrences after a time. */
function list(schedule: Schedule, fromMs: number, count: number): (string | null)[] {
  const found: (string | null)[] = [];
  for (let afterMs: number | null = fromMs; found.length < count && afterMs !== null;) {
    afterMs = nextOccurrenceAtMs(schedule, fromMs, afterMs);
    found.push(show(afterMs));
  }
  return found;
}

test("a schedule for one time is local to its time zone and comes once", () => {
  const schedule = { ...berlin, at: "2026-12-01T18:00" };
  assert.deepEqual(list(schedule, at("2026-11-25T00:00Z"), 3), ["2026-12-01T17:00:00.000Z", null]);
  const summer = { ...berlin, at: "2027-07-01T18:00" };
  assert.equal(show(nextOccurrenceAtMs(summer, 0, at("2026-11-25T00:00Z"))), "2027-07-01T16:00:00.000Z");
});

test("a repeated schedule keeps its local hour; one that a change of the clock skips comes right after it", () => {
  const nightly: Schedule = { ...berlin, repeat: { type: "calendar", pattern: "30 2 * * *" } };
  assert.deepEqual(list(nightly, at("2026-03-27T12:00Z"), 3), [
    "2026-03-28T01:30:00.000Z",
    "2026-03-29T01:00:00.000Z",
    "2026-03-30T00:30:00.000Z",
  ]);
  assert.deepEqual(list(nightly, at("2026-10-24T12:00Z"), 2), [
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ]);
});

test("a repetition begins at its first time, not before", () => {
  const fridays: Schedule = {
    ...berlin,
    at: "2026-12-10T00:00",
    repeat: { type: "calendar", pattern: "0 18 * * 5" },
  };
  assert.deepEqual(list(fridays, at("2026-11-25T00:00Z"), 2), [
    "2026-12-11T17:00:00.000Z",
    "2026-12-18T17:00:00.000Z",
  ]);
});

test("an interval counts from its first time, and missed ones are not made up for", () => {
  const every: Schedule = {
    ...berlin,
    at: "2026-11-25T10:00",
    repeat: { type: "interval", everyMs: 90 * 60_000 },
  };
  assert.deepEqual(list(every, at("2026-11-25T00:00Z"), 3), [
    "2026-11-25T09:00:00.000Z",
    "2026-11-25T10:30:00.000Z",
    "2026-11-25T12:00:00.000Z",
  ]);
  assert.equal(show(nextOccurrenceAtMs(every, 0, at("2026-11-26T09:01Z"))), "2026-11-26T10:30:00.000Z");
});

test("a schedule that is none, or past, is refused with what is wrong", () => {
  const nowMs = at("2026-11-25T00:00Z");
  const refusal = (schedule: Schedule): string => {
    try {
      checkSchedule(schedule, nowMs);
      return "accepted";
    } catch (error) {
      assert.ok(error instanceof ScheduleError);
      return error.message;
    }
  };
  assert.match(refusal({ ...berlin, timeZone: "Europe/Berln" }), /no time zone "Europe\/Berln"/);
  assert.match(refusal({ ...berlin, repeat: { type: "calendar", pattern: "99 * * * *" } }), /99/);
  assert.match(refusal({ ...berlin, at: "2020-01-01T00:00" }), /never begin/);
  assert.equal(refusal({ ...berlin, at: "2027-01-01T00:00" }), "accepted");
});

test("a window is open on its days, over midnight too, in its own time zone", () => {
  const nights = parseWindow("mon-fri 18:00-06:00", "Europe/Berlin");
  assert.ok(nights);
  const openAt = (text: string): string | null => show(nextOpenAtMs([nights], at(text)));
  // 2026-11-27 is a Friday; Berlin is one hour ahead.
  assert.equal(openAt("2026-11-27T17:30:00Z"), "2026-11-27T17:30:00.000Z");
  assert.equal(openAt("2026-11-27T16:30:00Z"), "2026-11-27T17:00:00.000Z");
  assert.equal(openAt("2026-11-28T04:59:00Z"), "2026-11-28T04:59:00.000Z", "Friday's night ends on Saturday");
  assert.equal(openAt("2026-11-28T05:00:00Z"), "2026-11-30T17:00:00.000Z");
});

test("a window for whole days, and the nearest of several", () => {
  const weekend = parseWindow("sat,sun 00:00-24:00", "UTC");
  const early = parseWindow("daily 03:00-04:00", "UTC");
  assert.ok(weekend && early);
  assert.equal(nextOpenAtMs([weekend], at("2026-11-28T23:59:00Z")), at("2026-11-28T23:59:00Z"));
  assert.equal(show(nextOpenAtMs([weekend, early], at("2026-11-26T12:00:00Z"))), "2026-11-27T03:00:00.000Z");
  assert.equal(nextOpenAtMs([], 5), 5);
});

test("a window that is none is not taken for one", () => {
  for (const text of [
    "",
    "mon",
    "monday 1:00-2:00",
    "mon 25:00-26:00",
    "mon 1:00",
    "mon 1:00-2:00 x",
    "mon 1:60-2:00",
  ]) {
    assert.equal(parseWindow(text, "UTC"), null, text);
  }
});
