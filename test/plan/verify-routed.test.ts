import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, canRunRouted, RoutedSite, serverAddress } from "./routed-site.ts";
import { faults } from "./verify-site.ts";

const toFar = `ip saddr ${serverAddress} ip daddr 192.168.20.0/24`;
const forward = (match: string): Block => ({ host: "router", hook: "forward", match });

/** For every flow, what a firewall without its rule would drop. The relay reads past the router's own filter. */
const blocks: Readonly<Record<string, Block>> = {
  "boot.dhcp": { host: "router", hook: "output", match: `ip daddr ${serverAddress} udp dport 67` },
  "boot.dhcp-reply": { host: "server", hook: "output", match: "udp sport 67 udp dport 67" },
  "boot.server": forward("udp dport 4011"),
  "boot.tftp": forward("udp dport 69"),
  "boot.tftp-data": forward(`${toFar} udp sport 32768-60999`),
  "boot.http": forward("tcp dport 8069"),
  "agent.discovery": forward("ip daddr 225.1.2.3"),
  "agent.discovery-reply": forward(`${toFar} udp sport 402`),
  "agent.control": forward("tcp dport 402 ct state new"),
  "transfer.data": forward("tcp dport 32768-60999 ct state new"),
  "imaging.data": forward("ip daddr 224.2.0.0/24"),
};

test("verify: behind a router, whatever is dropped turns its own flow red and no other", async (t) => {
  if (!canRunRouted(t)) {
    return;
  }
  const site = new RoutedSite(t);
  const { agent } = await site.startAll();
  const open = await site.verify("--segment", "far");
  assert.deepEqual(faults(open.cells), []);
  for (const [flow, block] of Object.entries(blocks)) {
    await t.test(`${flow} is dropped`, async () => {
      site.drop(block);
      const { cells, exitCode } = await site.verify("--segment", "far");
      site.lift(block);
      const found = faults(cells);
      assert.deepEqual(
        found.map((cell) => cell.flow),
        [flow],
      );
      assert.equal(found[0]?.verdict, "blocked");
      assert.match(found[0]?.remedy ?? "", /\d/, "the remedy is a line to write");
      assert.equal(exitCode, 3);
    });
  }
  assert.equal(agent.output().split("connected as").length, 2, "the agent has kept its connection");
});
