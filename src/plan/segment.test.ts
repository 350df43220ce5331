import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { computeSegments, findSegment, type SegmentSources } from "./segment.ts";

const ip = (text: string): Ipv4Address => Ipv4Address.parse(text);
const left = { name: "eth0", address: ip("192.168.0.1"), prefixLength: 24 };
const right = { name: "eth1", address: ip("11.11.11.1"), prefixLength: 24 };
const empty: SegmentSources = { interfaces: [], agents: [], relays: [], operator: [] };

function named(name: string, address: string, prefixLength: number) {
  const cidr = { address: ip(address), prefixLength };
  return {
    name,
    cidr,
    intent: "imaging",
    serverAddress: null,
    gatewayAddress: null,
    relayAddress: null,
  } as const;
}

test("segments: each of the server's own names the address of its own interface", () => {
  const segments = computeSegments({ ...empty, interfaces: [left, right] });
  assert.deepEqual(
    segments.map(({ name, cidr, serverAddress, intent }) => [
      name,
      Ipv4Subnet.format(cidr),
      serverAddress,
      intent,
    ]),
    [
      ["eth1", "11.11.11.0/24", "11.11.11.1", "imaging"],
      ["eth0", "192.168.0.0/24", "192.168.0.1", "imaging"],
    ],
  );
});

test("segments: one behind a router takes the server address its agents are connected to", () => {
  const agent = {
    address: ip("10.2.0.9"),
    prefixLength: 22,
    gatewayAddress: ip("10.2.0.1"),
    serverAddress: right.address,
  };
  const [, , behind] = computeSegments({ ...empty, interfaces: [left, right], agents: [agent] });
  assert.deepEqual(behind, {
    ...{ name: "10.2.0.0-22", cidr: { address: ip("10.2.0.0"), prefixLength: 22 }, intent: "management" },
    ...{ interfaceName: null, serverAddress: right.address, gatewayAddress: ip("10.2.0.1") },
    ...{ relayAddress: null, origin: "agent" },
  });
});

test("segments: a relay belongs to the subnet an agent has told, and makes it one for imaging", () => {
  const agent = {
    address: ip("10.2.1.9"),
    prefixLength: 22,
    gatewayAddress: null,
    serverAddress: left.address,
  };
  const relay = { relayAddress: ip("10.2.0.1"), serverAddress: left.address, isConfigured: true };
  const segments = computeSegments({ ...empty, interfaces: [left], agents: [agent], relays: [relay] });
  assert.equal(segments.length, 2);
  assert.deepEqual(
    [segments[1]?.name, segments[1]?.intent, segments[1]?.relayAddress],
    ["10.2.0.0-22", "imaging", "10.2.0.1"],
  );
});

test("segments: a relay that nobody named to the server is shown and needs nothing", () => {
  const relay = { relayAddress: ip("10.7.0.1"), serverAddress: left.address, isConfigured: false };
  const [, seen] = computeSegments({ ...empty, interfaces: [left], relays: [relay] });
  assert.deepEqual([seen?.name, seen?.intent, seen?.origin], ["10.7.0.0-24", "none", "relay"]);
});

test("segments: the operator's name, intent and addresses stand over what is found", () => {
  const operator = [
    { ...named("staff", "192.168.0.0", 24), intent: "management" as const },
    { ...named("floor-2", "10.2.0.0", 16), serverAddress: left.address },
  ];
  const agent = {
    address: ip("10.2.1.9"),
    prefixLength: 24,
    gatewayAddress: ip("10.2.1.1"),
    serverAddress: right.address,
  };
  const segments = computeSegments({ ...empty, interfaces: [left, right], agents: [agent], operator });
  assert.deepEqual(
    segments.map(({ name, intent, interfaceName, serverAddress }) => [
      name,
      intent,
      interfaceName,
      serverAddress,
    ]),
    [
      ["eth1", "imaging", "eth1", "11.11.11.1"],
      ["staff", "management", "eth0", "192.168.0.1"],
      ["floor-2", "imaging", null, "192.168.0.1"],
    ],
  );
  assert.equal(segments[2]?.gatewayAddress, "10.2.1.1");
});

test("segments: a server with two sides does not guess which one a segment behind a router uses", () => {
  const operator = [named("far", "10.9.0.0", 24)];
  assert.equal(computeSegments({ ...empty, interfaces: [left], operator })[1]?.serverAddress, "192.168.0.1");
  assert.equal(computeSegments({ ...empty, interfaces: [left, right], operator })[2]?.serverAddress, null);
});

test("segments: names stay unique when the operator calls another subnet like an interface", () => {
  const segments = computeSegments({
    ...empty,
    interfaces: [left],
    operator: [named("eth0", "10.9.0.0", 24)],
  });
  assert.deepEqual(
    segments.map(({ name }) => name),
    ["eth0-192.168.0.0-24", "eth0"],
  );
});

test("segments: an address is in the narrowest of those that overlap", () => {
  const segments = computeSegments({
    ...empty,
    operator: [named("wide", "10.0.0.0", 8), named("room", "10.2.0.0", 24)],
  });
  assert.equal(findSegment(segments, ip("10.2.0.5"))?.name, "room");
  assert.equal(findSegment(segments, ip("10.3.0.5"))?.name, "wide");
  assert.equal(findSegment(segments, ip("192.168.0.5")), null);
});
