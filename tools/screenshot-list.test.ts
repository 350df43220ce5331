import assert from "node:assert/strict";
import { test } from "node:test";
import { findUnseenRoutes, pictures, requireAll } from "./screenshot-list.ts";

test("screenshots: every route of the console's router has a picture, and one that has none is named", () => {
  assert.deepEqual(findUnseenRoutes(), []);
  assert.deepEqual(findUnseenRoutes(["/", "/packages", "/computers/$id/{-$tab}", "/printers/$id"]), [
    "/packages",
    "/printers/$id",
  ]);
});

test("screenshots: a picture that was promised and not taken is named", () => {
  const names = ["login", "login-provider", "setup", "computers", ...pictures.map(({ name }) => name)];
  assert.throws(() => requireAll(new Set(names)), /no picture was taken of sessions$/);
  requireAll(new Set([...names, "sessions"]));
});
