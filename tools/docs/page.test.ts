import assert from "node:assert/strict";
import { test } from "node:test";
import { readDocument } from "./document.ts";
import { navigate, renderPage, renderText } from "./page.ts";

const texts = new Map([
  ["README.md", "# Portolan\n\n[guide](docs/guide/README.md#the-rooms)\n"],
  ["docs/guide/README.md", "# User guide\n\n## The rooms\n\n[rooms](rooms.md) [areas](areas.md)\n"],
  ["docs/guide/areas.md", "# Areas\n"],
  ["docs/guide/rooms.md", "# Rooms & `more`\n\n[up](../../README.md) [sample](../../samples/a.yaml)\n"],
]);
const documents = new Map([...texts].map(([path, text]) => [path, readDocument(path, text)]));

test("pages: links lead to pages and anchors; what is no page is text", () => {
  const first = renderText(documents, "README.md", texts.get("README.md") ?? "");
  assert.match(first, /<a href="docs\/guide\/index\.html#the-rooms">guide<\/a>/);
  const guide = renderText(documents, "docs/guide/README.md", texts.get("docs/guide/README.md") ?? "");
  assert.match(guide, /<h2 id="the-rooms">The rooms<\/h2>/);
  const rooms = renderText(documents, "docs/guide/rooms.md", texts.get("docs/guide/rooms.md") ?? "");
  assert.match(rooms, /<a href="\.\.\/\.\.\/index\.html">up<\/a> sample/);
});

test("pages: the navigation has every document once, the guide in its own order, and marks the page", () => {
  const paths = navigate(documents).flatMap((group) => group.paths);
  assert.deepEqual(paths, [
    "docs/guide/README.md",
    "docs/guide/rooms.md",
    "docs/guide/areas.md",
    "README.md",
  ]);
  const page = renderPage(documents, "docs/guide/rooms.md", "# Rooms & `more`\n");
  assert.match(page, /<a href="rooms\.html" aria-current="page">Rooms &amp; more<\/a>/);
  assert.match(page, /<title>Rooms &amp; more · Portolan<\/title>/);
  assert.match(page, /href="\.\.\/\.\.\/style\.css"/);
});
