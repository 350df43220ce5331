import assert from "node:assert/strict";
import { test } from "node:test";
import { pino } from "pino";
import { VirtualClock } from "#platform/sim/virtual-clock.ts";
import type { Scope } from "../accounts/scope.ts";
import { LiveEvents } from "./live-events.ts";
import { SiteChanges } from "./site-changes.ts";

test("live events: what changes while another change is told of is told of as well, with no third to wake it", async () => {
  const changes = new SiteChanges();
  const clock = new VirtualClock();
  const asked: string[] = [];
  const slow = Promise.withResolvers<null>();
  // Computers that are gone by the time they are looked at: nothing of a scope is asked but whether it is limited.
  const wholeSite = { groupIds: null, hasComputer: () => false } as unknown as Scope;
  const live = new LiveEvents({
    changes,
    clock,
    log: pino({ level: "silent" }),
    source: {
      wholeSite,
      computer: (id) => {
        asked.push(id);
        return slow.promise;
      },
      job: async () => null,
      sessions: async () => [],
    },
  });
  changes.computer("first");
  await clock.advance(1000);
  changes.computer("second");
  await clock.advance(1000);
  assert.deepEqual(asked, ["first"]);
  slow.resolve(null);
  await clock.advance(1000);
  await clock.advance(1000);
  assert.deepEqual(asked, ["first", "second"]);
  live.stop();
});
