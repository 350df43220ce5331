import assert from "node:assert/strict";
import { test } from "node:test";
import { readDocument } from "./document.ts";
import { judgeDocuments } from "./read-documents.ts";

const there = new Set([
  "README.md",
  "docs/guide/page.md",
  "docs/guide/rooms.md",
  "samples/jobs",
  "docs/images/room.png",
]);

/** Complaints about a page beside `docs/guide/rooms.md`, without its path. */
function complaintsOf(text: string): string[] {
  const documents = [
    readDocument("docs/guide/rooms.md", "# Rooms\n\n## The first: room, `B`\n\n## Two\n\n## Two\n"),
    readDocument("docs/guide/page.md", text),
  ];
  return judgeDocuments(new Map(documents.map((document) => [document.path, document])), {
    isThere: (path) => there.has(path),
    names: { measurements: ["multicast"] },
  }).map((complaint) => complaint.replace("docs/guide/page.md:", ""));
}

function sh(...lines: readonly string[]): string {
  return `\`\`\`sh\n${lines.join("\n")}\n\`\`\`\n`;
}

test("documents: links that lead somewhere are left alone, to files, folders, headings and other sites", () => {
  const text = `# Page

[a](rooms.md) [b](rooms.md#the-first-room-b) [c](rooms.md#two-1) [d](../../samples/jobs/) [e](#page)
[f](https://example.org/nowhere) ![g](../images/room.png)
`;
  assert.deepEqual(complaintsOf(text), []);
});

test("documents: a link to a file that is not there is found, with its line", () => {
  assert.deepEqual(complaintsOf("# Page\n\ntext\n[a](room.md)\n"), [
    "4: room.md leads nowhere: there is no docs/guide/room.md",
  ]);
  assert.deepEqual(complaintsOf('<img alt="" src="../images/hall.png">\n'), [
    "1: ../images/hall.png leads nowhere: there is no docs/images/hall.png",
  ]);
  assert.match(complaintsOf("[a](/README.md)")[0] ?? "", /links are relative/);
});

test("documents: a link to a heading that is not there is found, in tables and lists too", () => {
  assert.deepEqual(complaintsOf("# Page\n\n| a |\n| - |\n| [x](rooms.md#three) |\n"), [
    "5: rooms.md#three: docs/guide/rooms.md has no heading #three",
  ]);
  assert.deepEqual(complaintsOf("- one\n- [x](#nowhere)\n"), [
    "2: #nowhere: docs/guide/page.md has no heading #nowhere",
  ]);
});

test("documents: commands that exist are left alone", () => {
  const text = sh(
    "sudo portolan serve --interface eth0,eth1 --data /srv/portolan",
    "portolan computer end-session SESSION",
    "$ bin/portolan settings set transfer.port 4402   # one port",
    'portolan computer settings pc-01 "server=10.0.0.1" --return-after 2m',
    "portolan plan export nftables --segment room-b --rollback | nft -f -",
    "portolan deploy lab-image pc-01 pc-02 \\",
    "  --disk largest --grow",
    "cd portolan && portolan agent install --site-key HEX",
    "portolan bench multicast",
    "npm install portolan-nothing",
  );
  assert.deepEqual(complaintsOf(text), []);
  assert.deepEqual(complaintsOf("Ask `portolan plan lint`, or `portolan job …`; see `portolan image`."), []);
});

test("documents: a command, a flag or a count of arguments that does not exist is found, with its line", () => {
  assert.match(
    complaintsOf("`portolan setings list`")[0] ?? "",
    /^1: there is no command portolan setings; there/,
  );
  assert.match(
    complaintsOf(sh("portolan plan lint", "portolan plan lnt"))[0] ?? "",
    /^3: there is no command .*lint/,
  );
  assert.match(
    complaintsOf(sh("portolan deploy x y --shrink"))[0] ?? "",
    /^2: portolan deploy has no flag --shrink/,
  );
  assert.equal(
    complaintsOf(sh("portolan settings set transfer.port"))[0],
    "2: portolan settings set needs 2 arguments, not 1",
  );
  assert.equal(
    complaintsOf(sh("portolan image show a b"))[0],
    "2: portolan image show takes 1 arguments, not 2",
  );
  assert.match(
    complaintsOf(sh("portolan serve --interfaces eth0"))[0] ?? "",
    /no flag --interfaces; there are: --config/,
  );
  assert.match(complaintsOf(sh("portolan agent remove"))[0] ?? "", /there is no remove; there are: run/);
  assert.match(complaintsOf(sh("portolan settings"))[0] ?? "", /lacks a command/);
});

test("documents: what programs printed is no command", () => {
  assert.deepEqual(complaintsOf("```text\nportolan nonsense\n```\n"), []);
});
