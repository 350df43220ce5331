import assert from "node:assert/strict";
import { test } from "node:test";
import type { Segment } from "#plan/segment.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { findRogueDiscovery } from "./rogue-discovery.ts";

const room: Segment = {
  name: "room",
  cidr: Ipv4Subnet.of(Ipv4Address.parse("10.9.0.0"), 24),
  intent: "imaging",
  interfaceName: "eth0",
  serverAddress: Ipv4Address.parse("10.9.0.1"),
  gatewayAddress: null,
  relayAddress: null,
  origin: "interface",
};
const sighting = {
  address: Ipv4Address.parse("10.9.0.66"),
  fingerprint: "ab".repeat(32),
  agentAddress: Ipv4Address.parse("10.9.0.2"),
};

test("a foreign discovery server is a finding of the segment where it was heard, with the way out", () => {
  const [finding, ...more] = findRogueDiscovery(sighting, [room]);
  assert.deepEqual(more, []);
  assert.equal(finding?.kind, "rogue-discovery-server");
  assert.deepEqual(finding?.subject, { type: "segment", name: "room" });
  assert.match(finding?.evidence ?? "", /10\.9\.0\.66 answered the agent at 10\.9\.0\.2/);
  assert.match(finding?.remedy ?? "", /10\.9\.0\.66/);
});

test("an agent behind a network that nobody knows makes no finding", () => {
  const agentAddress = Ipv4Address.parse("172.16.0.9");
  assert.deepEqual(findRogueDiscovery({ ...sighting, agentAddress }, [room]), []);
});
