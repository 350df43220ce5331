import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, canRunRouted, RoutedSite, serverAddress } from "./routed-site.ts";
import { faults } from "./verify-site.ts";

/** Filters that stand elsewhere than on the way between: on the relay's own host, and on the server's. */
const blocks: Readonly<Record<string, Block>> = {
  "boot.dhcp": { host: "router", hook: "output", match: `ip daddr ${serverAddress} udp dport 67` },
  "boot.dhcp-reply": { host: "server", hook: "output", match: "udp sport 67 udp dport 67" },
};

test("verify: what the filter of the relay, or of the server itself, drops turns its own flow red and no other", async (t) => {
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
