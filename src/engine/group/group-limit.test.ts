import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsInside } from "./group-limit.ts";

const groups = [
  { id: "a", name: "Building A", parentId: null },
  { id: "a1", name: "LAB1", parentId: "a" },
  { id: "a2", name: "LAB2", parentId: "a" },
  { id: "b", name: "Building B", parentId: null },
];

const inside = (...limits: string[][]): string[] | null => {
  const found = groupsInside(groups, limits);
  return found === null ? null : [...found].toSorted();
};

test("group limits: no list is the whole site, an empty one is nothing", () => {
  assert.equal(inside(), null);
  assert.deepEqual(inside([]), []);
});

test("group limits: a group holds what is nested in it, one that is gone holds nothing", () => {
  assert.deepEqual(inside(["a"]), ["a", "a1", "a2"]);
  assert.deepEqual(inside(["a1", "b"]), ["a1", "b"]);
  assert.deepEqual(inside(["gone"]), []);
});

test("group limits: a second list can only take away", () => {
  assert.deepEqual(inside(["a"], ["a2", "b"]), ["a2"]);
  assert.deepEqual(inside(["a2"], ["a"]), ["a2"]);
  assert.deepEqual(inside(["a"], ["b"]), []);
});
