import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { leaseDurationMs, LeaseTable } from "./lease-table.ts";

const address = (last: number): Ipv4Address => Ipv4Address.parse(`10.9.0.${last}`);
const mac = (last: number): MacAddress => MacAddress.fromBytes(Uint8Array.from([0x52, 0x54, 0, 0, 0, last]));
const ranges = [
  { from: address(10), to: address(11) },
  { from: address(20), to: address(20) },
];

test("leases: every computer gets an address of its own, in order, and keeps it; the fourth of three gets none", () => {
  const table = new LeaseTable(ranges, []);
  const given = [1, 2, 3].map((last) => table.offer(mac(last), null, 0)?.address);
  assert.deepEqual(given, ["10.9.0.10", "10.9.0.11", "10.9.0.20"]);
  assert.equal(table.offer(mac(4), null, 0), null);
  assert.equal(table.offer(mac(2), null, 1000)?.address, "10.9.0.11");
  assert.equal(table.sizeCount, 3);
});

test("leases: an offer that nobody took is free again, a lease only when it has ended", () => {
  const table = new LeaseTable(ranges, []);
  for (const last of [1, 2, 3]) {
    table.offer(mac(last), null, 0);
  }
  assert.equal(table.bind(mac(1), address(10), 10)?.state, "bound");
  assert.equal(table.offer(mac(4), null, 61_000)?.address, "10.9.0.11");
  assert.equal(table.offer(mac(5), null, 61_000)?.address, "10.9.0.20");
  assert.equal(table.offer(mac(6), null, 61_000), null);
  assert.equal(table.bind(mac(6), address(10), 10 + leaseDurationMs)?.mac, mac(6));
});

test("leases: nobody binds another's address or one outside the ranges; a bound one is offered as it is", () => {
  const table = new LeaseTable(ranges, []);
  table.bind(mac(1), address(10), 0);
  assert.equal(table.bind(mac(2), address(10), 1), null);
  assert.equal(table.bind(mac(2), address(99), 1), null);
  assert.deepEqual(table.offer(mac(1), null, 5), {
    address: "10.9.0.10",
    mac: mac(1),
    state: "bound",
    untilMs: leaseDurationMs,
  });
  assert.equal(table.offer(mac(2), address(10), 5)?.address, "10.9.0.11");
  assert.equal(table.offer(mac(3), address(20), 5)?.address, "10.9.0.20");
});

test("leases: one that moves to another address leaves the first to others; released is free at once", () => {
  const table = new LeaseTable(ranges, []);
  table.bind(mac(1), address(10), 0);
  assert.equal(table.release(mac(2), address(10), 1), null);
  assert.equal(table.release(mac(1), address(10), 1)?.untilMs, 1);
  assert.equal(table.bind(mac(2), address(10), 2)?.mac, mac(2));
  assert.equal(table.offer(mac(1), null, 3)?.address, "10.9.0.11");
});

test("leases: an address that somebody uses is left alone for an hour, its finder gets another", () => {
  const table = new LeaseTable(ranges, []);
  table.bind(mac(1), address(10), 0);
  assert.equal(table.decline(mac(2), address(10), 1), null);
  assert.equal(table.decline(mac(1), address(10), 1)?.state, "declined");
  assert.equal(table.offer(mac(1), null, 2)?.address, "10.9.0.11");
  assert.equal(table.bind(mac(1), address(10), 2), null);
  assert.equal(table.bind(mac(2), address(10), 3_600_001)?.address, "10.9.0.10");
});

test("leases: what was kept is there after a restart, and what lies outside the ranges of today is forgotten", () => {
  const untilMs = 1_000_000;
  const table = new LeaseTable(ranges, [
    { address: address(11), mac: mac(7), state: "bound", untilMs },
    { address: address(77), mac: mac(8), state: "bound", untilMs },
  ]);
  assert.equal(table.offer(mac(7), null, 0)?.address, "10.9.0.11");
  assert.equal(table.offer(mac(8), null, 0)?.address, "10.9.0.10");
});
