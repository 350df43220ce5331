import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { ExportResource } from "#api/plan-export-api.ts";
import { decodeTar } from "#wire/tar/tar-file.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { PlanServer } from "./plan-site.ts";

const skip = networkTestObstacle("ip", "nft") ?? false;

/** Every file that a bundle has for one segment, as text by path. */
function filesOf(bundlePath: string, segment: string): Map<string, string> {
  const entries = decodeTar(gunzipSync(readFileSync(bundlePath)));
  return new Map(
    entries
      .filter(({ path }) => path.includes(`/${segment}/`))
      .map(({ path, bytes }) => [path, new TextDecoder().decode(bytes)]),
  );
}

test(
  "plan export: of a server on 192.168.0.1 and 11.11.11.1 each file names the address of its own side, and no other",
  { skip },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("left", [{ host: "server", interfaceName: "eth0", address: "192.168.0.1/24" }]);
    hosts.segment("right", [{ host: "server", interfaceName: "eth1", address: "11.11.11.1/24" }]);
    const server = new PlanServer(t, { hosts, host: "server", interfaces: "eth0,eth1" });
    await server.start();
    server.json("segment", "add", "left-room", "192.168.5.0/24", "--server-address", "192.168.0.1");
    server.json("segment", "add", "right-room", "11.11.12.0/24", "--server-address", "11.11.11.1");
    const formats = (server.json("plan", "formats") as { format: string }[]).map(({ format }) => format);
    const bundlePath = join(server.dataDir, "request.tar.gz");
    server.json("plan", "bundle", "--out", bundlePath);
    for (const [segment, own, other] of [
      ["left-room", "192.168.0.1", "11.11.11.1"],
      ["right-room", "11.11.11.1", "192.168.0.1"],
    ] as const) {
      const files = filesOf(bundlePath, segment);
      for (const format of formats) {
        const path = [...files.keys()].find((name) => name.startsWith(`devices/${segment}/${format}.`));
        assert.ok(path !== undefined, `${format} for ${segment} is in the bundle`);
        assert.ok(files.get(path)?.includes(own) === true, `${path} lacks ${own}:\n${files.get(path)}`);
      }
      for (const [path, text] of files) {
        assert.ok(!text.includes(other), `${path} names ${other}:\n${text}`);
      }
    }
  },
);

test(
  "plan export: prints a file or its rollback; formats, segments and interfaces are checked",
  { skip },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("left", [{ host: "server", interfaceName: "eth0", address: "192.168.0.1/24" }]);
    hosts.segment("right", [{ host: "server", interfaceName: "eth1", address: "11.11.11.1/24" }]);
    const server = new PlanServer(t, { hosts, host: "server", interfaces: "eth0,eth1" });
    await server.start();
    server.json("segment", "add", "left-room", "192.168.5.0/24", "--server-address", "192.168.0.1");
    server.json("segment", "add", "right-room", "11.11.12.0/24", "--server-address", "11.11.11.1");

    assert.equal((server.json("plan", "formats") as unknown[]).length, 18);
    const exported = server.json("plan", "export", "kea", "--segment", "right-room") as ExportResource;
    assert.deepEqual([exported.format, exported.segment], ["kea", "right-room"]);
    assert.ok(exported.text.includes("11.11.11.1") && !exported.text.includes("192.168.0.1"));

    const printed = server.cli("plan", "export", "nft", "--segment", "left-room");
    assert.equal(printed.status, 0, printed.stderr);
    assert.match(printed.stdout, /^#!\/usr\/sbin\/nft -f\n/);
    const back = server.cli("plan", "export", "nftables", "--segment", "left-room", "--rollback");
    assert.match(back.stdout, /delete table inet portolan_left_room\n$/);

    const mistyped = server.cli("plan", "export", "nftable", "--segment", "left-room");
    assert.deepEqual([mistyped.status, mistyped.stdout], [2, ""]);
    assert.match(mistyped.stderr, /did you mean nftables\?/);
    const unnamed = server.cli("plan", "export", "nftables");
    assert.equal(unnamed.status, 2);
    assert.match(unnamed.stderr, /say for which segment: --segment NAME; there are: .*left-room/);
    const unknown = server.cli("plan", "export", "nftables", "--segment", "nowhere");
    assert.match(unknown.stderr, /there is no segment nowhere; there are: /);
    const evil = server.cli(
      "plan",
      "export",
      "cisco-ios",
      "--segment",
      "left-room",
      "--segment-interface",
      "x\nreload",
    );
    assert.equal(evil.status, 2);
    assert.match(evil.stderr, /is no name of an interface/);

    server.json("segment", "add", "lost", "10.77.0.0/24");
    const lost = server.cli("plan", "export", "nftables", "--segment", "lost");
    assert.equal(lost.status, 2);
    assert.match(lost.stderr, /portolan segment set lost --server-address ADDRESS/);
  },
);
