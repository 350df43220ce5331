import assert from "node:assert/strict";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { createServerRoom } from "./plan-site.ts";

const skip = networkTestObstacle("ip") ?? false;

test(
  "plan verify: without an agent nothing is tested, says so and is no fault; --strict takes silence for no proof",
  { skip },
  async (t) => {
    const { server } = createServerRoom(t);
    await server.start();
    const plain = server.cli("plan", "verify");
    assert.match(plain.stdout, /nothing was tested/);
    assert.equal(plain.status, 0, plain.stderr);
    const strict = server.cli("plan", "verify", "--strict", "--json");
    assert.equal(strict.status, 3, strict.stderr);
    const cells = JSON.parse(strict.stdout) as { readonly verdict: string }[];
    assert.ok(cells.length > 0 && cells.every(({ verdict }) => verdict === "not-tested"));
  },
);
