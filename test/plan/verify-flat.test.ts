import assert from "node:assert/strict";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { faults, startFlatSite, verdicts } from "./verify-site.ts";

const proven = [
  ...["boot.dhcp", "boot.dhcp-reply", "boot.server", "boot.tftp", "boot.tftp-data", "boot.http"],
  ...["agent.discovery", "agent.discovery-reply", "agent.control", "transfer.data", "imaging.data"],
  ...["wake.magic-packet", "closed.unused"],
];

test("verify: a flat segment with its DHCP server passes everything, in less than a minute", async (t) => {
  const obstacle = networkTestObstacle("ip", "dnsmasq");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const site = await startFlatSite(t);
  const agent = await site.startAgent("pc", "10.9.0.1");
  const { cells, exitCode } = await site.verify();
  assert.deepEqual(faults(cells), []);
  assert.equal(exitCode, 0);
  const found = verdicts(cells);
  for (const flow of proven) {
    assert.equal(found[flow], "pass", flow);
  }
  const multicast = cells.find(({ flow }) => flow === "imaging.data");
  assert.match(multicast?.evidence ?? "", /^4 \(group, port\) pairs from 10\.9\.0\.1, 0 routers on the way/);
  const events = await site.json<unknown[]>("boot", "events");
  assert.deepEqual(events, [], "a probe is no computer");
  assert.equal(agent.output().split("connected as").length, 2, "the agent has kept its connection");

  const text = await site.portolan("plan", "verify", "--segment", "eth0");
  assert.match(text.stdout, /^boot\.tftp-data +pass \d+ ms$/m);
  assert.match(text.stderr, /%  eth0: [a-z]/);
  const wrong = await site.portolan("plan", "verify", "--segment", "nowhere");
  assert.equal(wrong.exitCode, 1);
  assert.match(wrong.stderr, /there is no segment nowhere that needs anything; there are: eth0/);
});
