import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../cli-context.ts";
import { readAuditFilter } from "./audit-command.ts";

const nowMs = Date.UTC(2026, 0, 31, 12);

test("audit command: times are an age or a date", () => {
  const filter = readAuditFilter({ since: "2h", until: "2026-01-31T11:00Z", who: "ann" }, nowMs);
  assert.equal(filter.since, Date.UTC(2026, 0, 31, 10));
  assert.equal(filter.until, Date.UTC(2026, 0, 31, 11));
  assert.deepEqual([filter.actor, filter.limit, filter.outcome], ["ann", 200, undefined]);
  assert.equal(readAuditFilter({ since: "2026-01-31" }, nowMs).since, new Date("2026-01-31T00:00").getTime());
});

test("audit command: what is no time, no outcome or too much is named", () => {
  for (const [name, value] of [
    ["since", "yesterday"],
    ["until", "2026-99-99"],
    ["since", "12"],
    ["outcome", "good"],
    ["limit", "0"],
    ["limit", "501"],
  ] as const) {
    assert.throws(
      () => readAuditFilter({ [name]: value }, nowMs),
      (error: unknown) => error instanceof UsageError && error.message.includes(value),
      `--${name} ${value}`,
    );
  }
});
