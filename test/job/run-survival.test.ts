import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hasEnded } from "#engine/job/run.ts";
import { image, installer, script, wholeStory } from "./survival-tasks.ts";
import { World } from "./survival-world.ts";

const startsIn = fc.constantFrom("off" as const, "os" as const);
const kill = fc.record({
  type: fc.constant("kill-server" as const),
  atEvent: fc.integer({ min: 1, max: 25 }),
  phase: fc.constantFrom(0 as const, 1 as const, 2 as const),
});
const cut = fc.record({
  type: fc.constant("cut-power" as const),
  atMs: fc.integer({ min: 1, max: 400_000 }),
});

test("a deployment without disasters is done, and every task was done once", () => {
  for (const from of ["off", "os"] as const) {
    const world: World = new World([image, script], [], from).live();
    assert.equal(world.run.state, "done", JSON.stringify(world.run.reason));
    assert.deepEqual(world.imageStarts, ["j.c:0:1"]);
    assert.deepEqual(world.scriptStarts, ["j.c:1:1"]);
    assert.equal(world.disk, "image");
  }
});

test("a server killed at any one transition, in any phase, ends the job right and writes the disk once", () => {
  let count = 0;
  for (const from of ["off", "os"] as const) {
    for (let atEvent = 1; atEvent <= 20; atEvent += 1) {
      for (const phase of [0, 1, 2] as const) {
        const world: World = new World(
          [image, script],
          [{ type: "kill-server", atEvent, phase }],
          from,
        ).live();
        const where = `${from}, event ${atEvent}, phase ${phase}: ${JSON.stringify(world.run)}`;
        assert.equal(world.run.state, "done", where);
        assert.equal(world.disk, "image", where);
        assert.deepEqual(world.imageStarts, ["j.c:0:1"], where);
        assert.deepEqual(world.scriptStarts, ["j.c:1:1"], where);
        count += 1;
      }
    }
  }
  assert.equal(count, 120);
});

test("a server killed again and again still ends the job right and writes the disk once", () => {
  fc.assert(
    fc.property(startsIn, fc.array(kill, { maxLength: 6 }), (from, disasters) => {
      const world: World = new World([image, script], disasters, from).live();
      assert.equal(world.run.state, "done", JSON.stringify(world.run));
      assert.equal(world.disk, "image");
      assert.deepEqual(world.imageStarts, ["j.c:0:1"]);
      assert.deepEqual(world.scriptStarts, ["j.c:1:1"]);
    }),
    { numRuns: 400 },
  );
});

test("with power cuts as well, no script runs twice, no attempt is begun twice, and done means done", () => {
  let doneCount = 0;
  fc.assert(
    fc.property(
      startsIn,
      fc.array(fc.oneof(kill, cut), { minLength: 1, maxLength: 8 }),
      (from, disasters) => {
        const world: World = new World([image, script], disasters, from).live();
        assert.ok(hasEnded(world.run), JSON.stringify(world.run));
        assert.ok(world.scriptStarts.length <= 1, "a script runs at most once");
        assert.equal(
          new Set(world.imageStarts).size,
          world.imageStarts.length,
          "each attempt has its own key",
        );
        doneCount += isDoneWhole(world) ? 1 : 0;
      },
    ),
    { numRuns: 600 },
  );
  assert.ok(doneCount > 100, `only ${doneCount} of 600 worlds came to the end of their job`);
});

/** Done with the image and one start of the script after it, or failed with a reason. */
function isDoneWhole({ run, disk, scriptStarts }: World): boolean {
  if (run.state !== "done") {
    assert.ok((run.reason?.text.length ?? 0) > 20, "a failure says why");
    return false;
  }
  assert.equal(disk, "image");
  assert.equal(scriptStarts.length, 1);
  return true;
}

test("an installer, the server killed at each of its transitions in each phase: started once, and done", () => {
  for (const from of ["off", "os"] as const) {
    for (let atEvent = 1; atEvent <= 20; atEvent += 1) {
      for (const phase of [0, 1, 2] as const) {
        const disasters = [{ type: "kill-server", atEvent, phase }] as const;
        const world: World = new World([installer, script], disasters, from).live();
        const where = `${from}, event ${atEvent}, phase ${phase}: ${JSON.stringify(world.run)}`;
        assert.equal(world.run.state, "done", where);
        assert.deepEqual(world.installerStarts, ["j.c:0:1:start"], where);
        assert.deepEqual(world.scriptStarts, ["j.c:1:1"], where);
      }
    }
  }
});

test("an installer with kills and power cuts: never started twice, and done means that its system came", () => {
  let doneCount = 0;
  fc.assert(
    fc.property(
      startsIn,
      fc.array(fc.oneof(kill, cut), { minLength: 1, maxLength: 8 }),
      (from, disasters) => {
        const world: World = new World([installer, script], disasters, from).live();
        assert.ok(hasEnded(world.run), JSON.stringify(world.run));
        assert.ok(world.installerStarts.length <= 1, "nothing destructive is done twice");
        doneCount += isDoneWhole(world) ? 1 : 0;
      },
    ),
    { numRuns: 600 },
  );
  assert.ok(doneCount > 100, `only ${doneCount} of 600 worlds came to the end of their job`);
});

const wholeKeys = {
  images: ["j.c:1:1"],
  contents: ["j.c:3:1", "j.c:7:1.1"],
  scripts: ["j.c:4:1", "j.c:9:1.1"],
};

test("the whole story, the server killed at each of its transitions in each phase: done, and everything once", () => {
  let killCount = 0;
  for (const from of ["off", "os"] as const) {
    for (let atEvent = 1; atEvent <= 60; atEvent += 1) {
      for (const phase of [0, 1, 2] as const) {
        const world: World = new World(wholeStory, [{ type: "kill-server", atEvent, phase }], from).live();
        const where = `${from}, event ${atEvent}, phase ${phase}: ${JSON.stringify(world.run)}`;
        assert.equal(world.run.state, "done", where);
        assert.deepEqual(world.imageStarts, wholeKeys.images, where);
        assert.deepEqual(world.contentStarts, wholeKeys.contents, where);
        assert.deepEqual(world.scriptStarts, wholeKeys.scripts, where);
        killCount += 1;
      }
    }
  }
  assert.equal(killCount, 360);
});

test("the whole story with kills and power cuts: it ends, no key is begun twice, no script runs twice", () => {
  let doneCount = 0;
  fc.assert(
    fc.property(
      startsIn,
      fc.array(
        fc.oneof(
          fc.record({
            type: fc.constant("kill-server" as const),
            atEvent: fc.integer({ min: 1, max: 60 }),
            phase: fc.constantFrom(0 as const, 1 as const, 2 as const),
          }),
          fc.record({
            type: fc.constant("cut-power" as const),
            atMs: fc.integer({ min: 1, max: 900_000 }),
          }),
        ),
        { minLength: 1, maxLength: 8 },
      ),
      (from, disasters) => {
        const world: World = new World(wholeStory, disasters, from).live();
        assert.ok(hasEnded(world.run), JSON.stringify(world.run));
        for (const starts of [world.imageStarts, world.contentStarts, world.scriptStarts]) {
          assert.equal(new Set(starts).size, starts.length, "each attempt has its own key");
        }
        const scripts = world.scriptStarts.map((key) => key.split(":")[1]);
        assert.equal(new Set(scripts).size, scripts.length, "no script is run twice");
        doneCount += world.run.state === "done" ? 1 : 0;
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(doneCount > 50, `only ${doneCount} of 400 came to the end of their job`);
});
