import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { networkTestObstacle } from "../network-hosts.ts";
import { faults, startFlatSite, type VerifyCell } from "./verify-site.ts";

function read(outcome: { readonly stdout: string; readonly stderr: string }): VerifyCell[] {
  assert.ok(outcome.stdout.startsWith("["), outcome.stderr);
  return JSON.parse(outcome.stdout) as VerifyCell[];
}

test("verify: a change of settings before or in the middle makes nothing red; the agent is waited for, and named when it does not come back", async (t) => {
  const obstacle = networkTestObstacle("ip", "dnsmasq", "nft");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const site = await startFlatSite(t);
  await site.startAgent("pc", "10.9.0.1");
  const verify = () => site.portolan("plan", "verify", "--json");
  const isTested = (cells: readonly VerifyCell[]): boolean =>
    cells.some(({ flow, verdict }) => flow === "agent.control" && verdict === "pass");

  await t.test("right after it", async () => {
    for (const change of [["profile", "firewall"] as const, ["set", "control.tcpPort", "403"] as const]) {
      const [changed, outcome] = await Promise.all([site.portolan("settings", ...change), verify()]);
      assert.equal(changed.exitCode, 0, changed.stderr);
      const cells = read(outcome);
      assert.deepEqual(faults(cells), []);
      assert.ok(isTested(cells), outcome.stderr);
    }
  });

  await t.test("in the middle", async () => {
    const verifying = site.startPortolan("plan", "verify", "--json");
    // It says what it tries.
    while (!/%  eth0: (?!waiting)/.test(verifying.process.output())) {
      await setTimeout(50);
    }
    const changed = await site.portolan("settings", "profile", "classic");
    assert.equal(changed.exitCode, 0, changed.stderr);
    const outcome = await verifying.answer;
    assert.match(outcome.stderr, /, once more because the plan changed/);
    const cells = read(outcome);
    assert.deepEqual(faults(cells), []);
    assert.ok(isTested(cells), outcome.stderr);
  });

  await t.test(
    "a port of the server's own that another program holds is no fault of the network",
    async () => {
      const holder = site.hosts.start("server", process.execPath, [
        "-e",
        'require("net").createServer((s) => s.destroy()).listen(8070, "10.9.0.1", () => console.log("holding"))',
      ]);
      await holder.waitFor("holding");
      await site.portolan("settings", "set", "boot.httpPort", "8070");
      const [fault, ...others] = faults(read(await verify()));
      assert.deepEqual(others, []);
      assert.deepEqual([fault?.flow, fault?.causeCode], ["boot.http", "nothing-listens"]);
      assert.match(fault?.cause ?? "", /the server itself does not listen there: .*8070.* is held by/);
      holder.child.kill("SIGKILL");
      await site.portolan("settings", "reset", "boot.httpPort");
    },
  );

  await t.test("an agent that does not come back is named with what it changes", async () => {
    const drop = "table ip away { chain c { type filter hook output priority 0; tcp dport 404 drop; }; }";
    site.hosts.run("pc", "nft", [drop]);
    await site.portolan("settings", "set", "control.tcpPort", "404");
    const outcome = await verify();
    const said = /agent \S+ is reconnecting after the change of controlPort/;
    assert.match(outcome.stderr, new RegExp(`waiting, ${said.source}`));
    const cells = read(outcome);
    assert.ok(cells.length > 0 && cells.every(({ verdict }) => verdict === "not-tested"));
    assert.match(cells[0]?.evidence ?? "", new RegExp(`^${said.source}; it did not come back within 20 s$`));
    assert.match(cells[0]?.remedy ?? "", /returns to its old ones/);
  });
});
