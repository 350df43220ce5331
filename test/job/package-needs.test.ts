import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { createServerRoom } from "../plan/plan-site.ts";

const skip = networkTestObstacle("ip") ?? false;

test(
  "packages: one that needs what is not here, or itself in a circle, is refused with the names that are near",
  { skip, timeout: 180_000 },
  async (t) => {
    const { server } = createServerRoom(t);
    await server.start();
    const makeBundle = (name: string, description: string | null = null): string => {
      const folder = join(server.dataDir, "bundles", name);
      mkdirSync(join(folder, "files"), { recursive: true });
      writeFileSync(join(folder, "files", "hello"), name);
      if (description !== null) {
        writeFileSync(join(folder, "package.yaml"), description);
      }
      return folder;
    };
    const listNames = (): unknown[] =>
      (server.json("package", "list") as { readonly name: string }[]).map(({ name }) => name).toSorted();

    for (const name of ["base-fonts", "base-icons"]) {
      assert.equal(server.cli("package", "add", makeBundle(name)).status, 0);
    }
    const byFlag = server.cli("package", "add", makeBundle("office"), "--needs", "base-font");
    assert.equal(byFlag.status, 1, byFlag.stdout);
    assert.match(
      byFlag.stdout + byFlag.stderr,
      /office needs the package base-font, which is not here; did you mean base-fonts.*leave it out of --needs/,
    );
    const byFile = server.cli("package", "add", makeBundle("paint", "dependsOn: [zebra-theme]\n"));
    assert.equal(byFile.status, 1, byFile.stdout);
    assert.match(byFile.stdout + byFile.stderr, /needs the package zebra-theme.*portolan package list shows/);
    assert.deepEqual(listNames(), ["base-fonts", "base-icons"], "nothing refused is kept");

    const folder = makeBundle("office");
    assert.equal(server.cli("package", "add", folder, "--needs", "base-fonts,base-icons").status, 0);
    const circle = server.cli("package", "add", makeBundle("base-fonts"), "--needs", "office");
    assert.equal(circle.status, 1, circle.stdout);
    assert.match(circle.stdout + circle.stderr, /in a circle: base-fonts → office → base-fonts/);
    const itself = server.cli("package", "add", makeBundle("mirror"), "--needs", "mirror");
    assert.match(itself.stdout + itself.stderr, /in a circle: mirror → mirror/);
    assert.deepEqual(listNames(), ["base-fonts", "base-icons", "office"]);
  },
);

test(
  "packages: one that others need is not removed before them, unless another version of it stays",
  { skip, timeout: 180_000 },
  async (t) => {
    const { server } = createServerRoom(t);
    await server.start();
    const makeBundle = (name: string): string => {
      const folder = join(server.dataDir, "bundles", name);
      mkdirSync(join(folder, "files"), { recursive: true });
      writeFileSync(join(folder, "files", "hello"), name);
      return folder;
    };
    const add = (...args: readonly string[]): void => {
      const answer = server.cli("package", "add", ...args);
      assert.equal(answer.status, 0, answer.stdout + answer.stderr);
    };
    add(makeBundle("base-fonts"));
    add(makeBundle("office"), "--needs", "base-fonts");
    add(makeBundle("paint"), "--version", "3", "--needs", "base-fonts");
    const refused = server.cli("package", "remove", "base-fonts");
    assert.equal(refused.status, 1, refused.stdout);
    assert.match(
      refused.stdout + refused.stderr,
      /base-fonts is needed by paint=3, office=1; remove what needs it first, with portolan package remove paint=3/,
    );
    add(makeBundle("base-fonts"), "--version", "2");
    assert.equal(server.cli("package", "remove", "base-fonts=1").status, 0, "version 2 is still there");
    assert.equal(server.cli("package", "remove", "base-fonts").status, 1);
    for (const word of ["paint=3", "office", "base-fonts"]) {
      assert.equal(server.cli("package", "remove", word).status, 0, word);
    }
    assert.deepEqual(server.json("package", "list"), []);
  },
);
