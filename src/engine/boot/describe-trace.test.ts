import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { describeTrace } from "./describe-trace.ts";

const address = Ipv4Address.parse("10.2.0.254");
const nothing = { relay: null, secondsElapsed: null, latencyMs: null };

test("boot trace: relay, hops, switch port and switch are told as their makers write them, other bytes as hex", () => {
  const relay = { address, hops: 1, circuitId: "000400140103", remoteId: "0006020000000001" };
  assert.equal(
    describeTrace({ relay, secondsElapsed: 12, latencyMs: 3.04 }),
    "relay 10.2.0.254 (1 hop), switch port VLAN 20, port 1/3, switch 02:00:00:00:00:01; asking for 12 s; answered in 3.0 ms",
  );
  const text = { address, hops: 2, circuitId: "4769312f302f33", remoteId: "00ff" };
  assert.equal(
    describeTrace({ ...nothing, relay: text }),
    "relay 10.2.0.254 (2 hops), switch port Gi1/0/3, switch 00ff",
  );
  assert.equal(
    describeTrace({ ...nothing, relay: { ...text, circuitId: null, remoteId: null } }),
    "relay 10.2.0.254 (2 hops)",
  );
});

test("boot trace: a computer of our own segment that asks at once and is not answered leaves none", () => {
  assert.equal(describeTrace(nothing), null);
  assert.equal(describeTrace({ ...nothing, secondsElapsed: 0 }), null);
});
