import assert from "node:assert/strict";
import { test } from "node:test";
import { formatGroupPath, groupDepthMax, judgeGroup, matchGroups, withNested } from "./group-tree.ts";

const groups = [
  { id: "g-a", name: "Building A", parentId: null },
  { id: "g-b", name: "Building B", parentId: null },
  { id: "g-a1", name: "LAB1", parentId: "g-a" },
  { id: "g-b1", name: "LAB1", parentId: "g-b" },
  { id: "g-a1w", name: "Window row", parentId: "g-a1" },
];

test("groups: a path names every group above, and tells two of one name apart", () => {
  assert.equal(formatGroupPath(groups, "g-a1w"), "Building A/LAB1/Window row");
  assert.deepEqual(
    matchGroups(groups, "LAB1").map(({ id }) => id),
    ["g-a1", "g-b1"],
  );
  assert.deepEqual(
    matchGroups(groups, "Building B/LAB1").map(({ id }) => id),
    ["g-b1"],
  );
  assert.deepEqual(
    matchGroups(groups, "g-a1w").map(({ id }) => id),
    ["g-a1w"],
  );
  assert.deepEqual(matchGroups(groups, "LAB2"), []);
});

test("groups: what is nested belongs to those above, and to nobody beside", () => {
  assert.deepEqual([...withNested(groups, ["g-a"])].toSorted(), ["g-a", "g-a1", "g-a1w"]);
  assert.deepEqual([...withNested(groups, ["g-b1", "gone"])], ["g-b1"]);
  assert.deepEqual([...withNested(groups, [])], []);
});

test("groups: a circle in the store ends: nothing waits for ever", () => {
  const circle = [
    { id: "x", name: "X", parentId: "y" },
    { id: "y", name: "Y", parentId: "x" },
  ];
  assert.equal(formatGroupPath(circle, "x").split("/").length, groupDepthMax);
  assert.deepEqual([...withNested(circle, ["x"])], ["x", "y"]);
});

test("groups: a name is refused that is taken at its place, holds a slash or a control character, or is none", () => {
  const judge = (name: string, parentId: string | null) => judgeGroup(groups, { id: "new", name, parentId });
  assert.match(String(judge("LAB1", "g-a")), /already/);
  assert.equal(judge("LAB1", null), null);
  for (const bad of ["", " ", "a/b", "a\u001b[2J", " a", "x".repeat(65)]) {
    assert.match(String(judge(bad, null)), /1 to 64/, JSON.stringify(bad));
  }
  assert.match(String(judge("LAB9", "gone")), /no group gone/);
});

test("groups: none is moved into itself or into what is in it, and none deeper than a tree can be read", () => {
  const judge = (parentId: string | null) => judgeGroup(groups, { id: "g-a", name: "Building A", parentId });
  assert.match(String(judge("g-a")), /in itself/);
  assert.match(String(judge("g-a1w")), /in itself/);
  assert.equal(judge("g-b1"), null);
  const deep = Array.from({ length: groupDepthMax }, (_, index) => ({
    id: `d${index}`,
    name: `level ${index}`,
    parentId: index === 0 ? null : `d${index - 1}`,
  }));
  const last = `d${groupDepthMax - 1}`;
  assert.match(String(judgeGroup(deep, { id: "new", name: "one more", parentId: last })), /deep at most/);
  assert.match(
    String(
      judgeGroup([...groups, ...deep], { id: "g-a", name: "Building A", parentId: `d${groupDepthMax - 3}` }),
    ),
    /deep at most/,
    "with what is in it",
  );
});
