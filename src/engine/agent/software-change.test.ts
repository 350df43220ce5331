import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSoftwareChange } from "./software-change.ts";

const before = { packages: ["bash 5.2-1", "cups 2.4", "zlib1g 1.3"], users: ["root", "ada"] };

test("what came, went and changed is named, and nothing else", () => {
  assert.deepEqual(describeSoftwareChange(before, before), []);
  const after = { packages: ["bash 5.2-2", "nginx 1.26", "zlib1g 1.3"], users: ["root", "grace"] };
  assert.deepEqual(describeSoftwareChange(before, after), [
    "package bash: 5.2-2, was 5.2-1",
    "package added: nginx 1.26",
    "package gone: cups 2.4",
    "user added: grace",
    "user gone: ada",
  ]);
});

test("a whole upgrade names a few and counts the rest", () => {
  const many = Array.from({ length: 3000 }, (_, index) => `package-${index} 1`);
  const changes = describeSoftwareChange({ packages: [], users: [] }, { packages: many, users: [] });
  assert.equal(changes.length, 13);
  assert.equal(changes.at(-1), "and 2988 more");
});
