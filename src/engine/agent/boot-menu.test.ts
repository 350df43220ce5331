import assert from "node:assert/strict";
import { test } from "node:test";
import { drawMenu, type MenuState, openMenu, passTime, pressKey, readMenuKeys } from "./boot-menu.ts";

const menu = {
  entries: [
    { choice: "j-00000001", label: "Classroom image", isDestructive: true },
    { choice: "j-00000002", label: "Memory test", isDestructive: false },
    { choice: "local", label: "Boot from the local disk", isDestructive: false },
  ],
  defaultChoice: "j-00000002",
  timeoutMs: 30_000,
};

function press(state: MenuState, text: string) {
  let step = { state, chosen: null } as ReturnType<typeof pressKey>;
  for (const key of readMenuKeys(text)) {
    step = pressKey(step.state, key);
  }
  return step;
}

test("nobody there: the default is taken when its time is over, and not before", () => {
  const state = openMenu(menu, 1000);
  assert.equal(passTime(state, 30_999).chosen, null);
  const step = passTime(state, 31_000);
  assert.deepEqual(step.chosen, { choice: "j-00000002", by: "timeout" });
  assert.equal(passTime(step.state, 99_000).chosen, null, "once");
});

test("any key stops the clock for good", () => {
  for (const text of ["x", "\u001b[A", "\u001b[15~", "9", " "]) {
    const { state, chosen } = press(openMenu(menu, 0), text);
    assert.equal(chosen, null, JSON.stringify(text));
    assert.equal(passTime(state, 1e9).chosen, null, JSON.stringify(text));
    assert.match(drawMenu(state, 0).join("\n"), /It waits for you/);
  }
});

test("arrows move around both ends, and Enter takes what is selected", () => {
  assert.deepEqual(press(openMenu(menu, 0), "\r").chosen, { choice: "j-00000002", by: "person" });
  assert.deepEqual(press(openMenu(menu, 0), "\u001b[B\r").chosen, { choice: "local", by: "person" });
  assert.deepEqual(press(openMenu(menu, 0), "\u001b[B\u001bOB\n").chosen, {
    choice: "j-00000001",
    by: "person",
  });
  assert.deepEqual(press(openMenu(menu, 0), "kk\r").chosen, { choice: "local", by: "person" });
});

test("a number chooses at once, but what erases the disk wants Enter too", () => {
  assert.deepEqual(press(openMenu(menu, 0), "3").chosen, { choice: "local", by: "person" });
  const step = press(openMenu(menu, 0), "1");
  assert.equal(step.chosen, null);
  assert.deepEqual(pressKey(step.state, "enter").chosen, { choice: "j-00000001", by: "person" });
});

test("without a default there is no clock", () => {
  const state = openMenu({ ...menu, defaultChoice: null }, 0);
  assert.equal(passTime(state, 1e9).chosen, null);
  assert.equal(state.selectedIndex, 0);
});

test("the screen shows each entry with its key, the mark, what erases, and the seconds left", () => {
  const lines = drawMenu(openMenu(menu, 0), 500);
  assert.ok(lines.includes("  1  Classroom image  (erases the disk)"));
  assert.ok(lines.includes("> 2  Memory test"));
  assert.ok(lines.includes("In 30 s it takes: Memory test. Any key stops the clock."));
  assert.ok(lines.every((line) => line.length <= 80));
});
