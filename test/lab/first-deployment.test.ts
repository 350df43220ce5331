import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";

test("lab: three bare computers are imaged by one multicast session and come back under their agents", (t) => {
  const obstacle = networkTestObstacle("ip", "qemu-system-x86_64", "dnsmasq", "mmdebstrap", "nft", "unshare");
  if (obstacle !== null) {
    t.skip(obstacle);
    return;
  }
  const outcome = spawnSync("bin/portolan", ["lab", "run", "first-deployment"], {
    encoding: "utf8",
    timeout: 15 * 60_000,
    killSignal: "SIGKILL",
  });
  const text = `${outcome.stdout}${outcome.stderr}`;
  t.diagnostic(text.split("\n").slice(-22).join("\n"));
  assert.equal(outcome.status, 0, text);
  assert.equal(text.match(/its disk equals the source/g)?.length, 3, text);
  assert.match(text, /3 of 3 computers done/);
  const copies = Number(/: ([\d.]+) copies for 3 computers/.exec(text)?.[1]);
  // One copy and its headers, and what a busy machine made the switch or a receiver lose; three would be unicast.
  assert.ok(copies >= 0.99 && copies < 2, `${copies} copies on the wire`);
});
