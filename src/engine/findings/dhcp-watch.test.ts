import assert from "node:assert/strict";
import { test } from "node:test";
import type { Segment } from "#plan/segment.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { type DhcpObservation, DhcpWatch } from "./dhcp-watch.ts";

const ip = (text: string): Ipv4Address => Ipv4Address.parse(text);
const startedAtMs = 1_000_000;
const mac = MacAddress.parse("52:54:00:00:00:01");
const subnet = { address: ip("10.9.0.0"), prefixLength: 24 };

const room: Segment = {
  ...{ name: "room", cidr: subnet, intent: "imaging", interfaceName: "eth0" },
  ...{ serverAddress: ip("10.9.0.1"), gatewayAddress: null, relayAddress: null, origin: "interface" },
};
const far: Segment = {
  ...{ name: "far", cidr: { address: ip("10.2.0.0"), prefixLength: 24 }, intent: "imaging" },
  ...{ interfaceName: null, serverAddress: ip("10.9.0.1"), gatewayAddress: null },
  ...{ relayAddress: ip("10.2.0.254"), origin: "relay" },
};
const segments = [room, far];

function seen(given: Partial<DhcpObservation>): DhcpObservation {
  return {
    ...{ atMs: startedAtMs + 600_000, interfaceName: "eth0", subnet, sourceAddress: Ipv4Address.any, mac },
    ...{ isBootClient: true, message: "discover", secondsElapsed: 0, relay: null },
    ...{ selectedServer: null, requestedAddress: null },
    ...given,
  };
}

const relayed = { address: ip("10.2.0.254"), hops: 1, circuitId: "4769312f302f33", remoteId: null } as const;

test("DHCP watch: the seconds of a boot's first packet tell a port that did not forward", () => {
  for (const [secondsElapsed, isFound] of [
    [0, false],
    [4, false],
    [12, true],
    [28, true],
  ] as const) {
    const watch = new DhcpWatch(startedAtMs);
    const found = watch.receive(seen({ secondsElapsed, relay: relayed }), segments);
    assert.equal(found.length === 1, isFound, `secs ${secondsElapsed}`);
  }
  const watch = new DhcpWatch(startedAtMs);
  const [finding] = watch.receive(seen({ secondsElapsed: 28, relay: relayed }), segments);
  assert.equal(finding?.kind, "spanning-tree-delay");
  assert.deepEqual(finding?.subject, { type: "computer", mac });
  assert.match(
    finding?.evidence ?? "",
    /28 s; those before did not get through \(far, switch port Gi1\/0\/3\)/,
  );
});

test("DHCP watch: later packets of the same boot, ordinary clients and packets from before our start say nothing", () => {
  const watch = new DhcpWatch(startedAtMs);
  assert.deepEqual(watch.receive(seen({ secondsElapsed: 0 }), segments), []);
  const later = { atMs: startedAtMs + 612_000, secondsElapsed: 12 };
  assert.deepEqual(watch.receive(seen(later), segments), []);
  const other = MacAddress.parse("52:54:00:00:00:02");
  assert.deepEqual(
    watch.receive(seen({ mac: other, secondsElapsed: 28, isBootClient: false }), segments),
    [],
  );
  const early = { atMs: startedAtMs + 5000, secondsElapsed: 28 };
  assert.deepEqual(new DhcpWatch(startedAtMs).receive(seen(early), segments), []);
});

test("DHCP watch: what passes a request on without giaddr is named with its address", () => {
  const watch = new DhcpWatch(startedAtMs);
  const [finding, ...others] = watch.receive(seen({ sourceAddress: ip("10.2.0.254") }), segments);
  assert.deepEqual(others, []);
  assert.equal(finding?.kind, "relay-without-giaddr");
  assert.deepEqual(finding?.subject, { type: "segment", name: "far" });
  const inSegment = seen({ sourceAddress: ip("10.9.0.7") });
  assert.deepEqual(new DhcpWatch(startedAtMs).receive(inSegment, segments), []);
});

test("DHCP watch: leases of one server are ordinary; a second one, and foreign addresses, are named", () => {
  const watch = new DhcpWatch(startedAtMs);
  const lease = (server: string, address: string) =>
    watch.receive(
      seen({ message: "request", selectedServer: ip(server), requestedAddress: ip(address) }),
      segments,
    );
  assert.deepEqual(lease("10.9.0.254", "10.9.0.100"), []);
  assert.deepEqual(lease("10.9.0.254", "10.9.0.101"), []);
  const [second] = lease("10.9.0.66", "10.9.0.102");
  assert.equal(second?.kind, "several-dhcp-servers");
  assert.equal(second?.evidence, "addresses come from 10.9.0.254 and 10.9.0.66");
  const [foreign] = lease("192.168.66.1", "192.168.66.10");
  assert.equal(foreign?.kind, "rogue-dhcp-server");
  assert.match(
    foreign?.evidence ?? "",
    /192\.168\.66\.1 has given .* 192\.168\.66\.10, which is not of 10\.9\.0\.0\/24/,
  );
});
