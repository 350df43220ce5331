import assert from "node:assert/strict";
import { test } from "node:test";
import { configuredPictures, findUnseenRoutes, pictures, requireAll } from "./screenshot-list.ts";

test("screenshots: every route of the console's router has a picture, and one that has none is named", () => {
  assert.deepEqual(findUnseenRoutes(), []);
  assert.deepEqual(findUnseenRoutes(["/", "/packages", "/computers/$id/{-$tab}", "/printers/$id"]), [
    "/packages",
    "/printers/$id",
  ]);
});

test("screenshots: a picture that was promised and not taken is named, be it of a page, a card or a window", () => {
  const listed = [...pictures, ...configuredPictures].map(({ name }) => name);
  const outside = ["login", "login-provider", "login-with-provider", "login-factor", "setup"];
  const dialogs = ["order", "second-factor", "recovery-codes", "security-keys"];
  const names = [
    ...listed,
    ...outside,
    ...dialogs,
    "computers",
    "sessions",
    "computer-files-open",
    "desktop",
  ];
  assert.throws(() => requireAll(new Set(names)), /no picture was taken of terminal$/);
  assert.throws(
    () => requireAll(new Set([...names, "terminal"].slice(1))),
    /no picture was taken of computer$/,
  );
  requireAll(new Set([...names, "terminal"]));
});
