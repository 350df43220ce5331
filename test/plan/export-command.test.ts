import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExportResource } from "#api/plan-export-api.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { PlanServer } from "./plan-site.ts";

const skip = networkTestObstacle("ip", "nft") ?? false;

/** Each file, with its comments away, holds this address and not the other. */
function assertAddress(exported: ExportResource, own: string, other: string): void {
  for (const text of [exported.text, exported.rollbackText]) {
    assert.ok(!text.includes(other), `${exported.format} for ${exported.segment} names ${other}:\n${text}`);
  }
  assert.ok(exported.text.includes(own), `${exported.format} for ${exported.segment} lacks ${own}`);
}

test(
  "plan export: of a server on two segments each file has the address of its own side; names are checked",
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
    for (const format of ["nftables", "ufw", "kea", "cisco-ios"]) {
      const of = (segment: string): ExportResource =>
        server.json("plan", "export", format, "--segment", segment) as ExportResource;
      assertAddress(of("left-room"), "192.168.0.1", "11.11.11.1");
      assertAddress(of("right-room"), "11.11.11.1", "192.168.0.1");
    }

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
