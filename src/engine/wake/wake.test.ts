import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { broadcastsOf, chooseWakers, type WakePeer } from "./choose-wakers.ts";
import { WakeOrders } from "./wake-orders.ts";

function card(address: string, change: { isWired?: boolean; isUp?: boolean } = {}) {
  return { address: Ipv4Address.parse(address), prefixLength: 24, isWired: true, isUp: true, ...change };
}

function peer(computerId: string, address: string, change: Partial<WakePeer> = {}): WakePeer {
  return { computerId, environment: "os", connectedSinceMs: 0, cards: [card(address)], ...change };
}

test("wakers: neighbours of the segment where it was last seen, two of them, the steadiest first", () => {
  const peers = [
    peer("elsewhere", "10.1.0.2"),
    peer("new", "10.2.0.2", { connectedSinceMs: 900 }),
    peer("old", "10.2.0.3", { connectedSinceMs: 100 }),
    peer("preboot", "10.2.0.4", { environment: "preboot" }),
    peer("wireless", "10.2.0.5", { cards: [card("10.2.0.5", { isWired: false })] }),
    peer("unplugged", "10.2.0.6", { cards: [card("10.2.0.6", { isUp: false })] }),
  ];
  assert.deepEqual(chooseWakers([card("10.2.0.9", { isUp: false })], peers), {
    computerIds: ["old", "new"],
    reason: "known-segment",
  });
});

test("wakers: one of each segment when nothing is known, nobody when nobody is awake", () => {
  const peers = [peer("a", "10.1.0.2"), peer("b", "10.1.0.3"), peer("c", "10.2.0.2")];
  assert.deepEqual(chooseWakers([], peers), { computerIds: ["a", "c"], reason: "every-segment" });
  assert.deepEqual(chooseWakers([card("10.3.0.2")], peers), { computerIds: [], reason: "nobody-awake" });
});

test("directed broadcast: the last address of the segment, none for a segment of two", () => {
  assert.deepEqual(broadcastsOf([card("10.2.0.9"), { ...card("10.4.5.6"), prefixLength: 22 }]), [
    "10.2.0.255",
    "10.4.7.255",
  ]);
  assert.deepEqual(broadcastsOf([{ ...card("10.2.0.9"), prefixLength: 31 }]), []);
});

test("wake: is repeated with growing pauses until the computer is seen", () => {
  const orders = new WakeOrders();
  assert.deepEqual(orders.add("c1", 0), { type: "send", computerId: "c1", attempt: 1 });
  assert.equal(orders.wakeAtMs, 1000);
  assert.deepEqual(orders.advance(999), []);
  assert.deepEqual(orders.advance(1000), [{ type: "send", computerId: "c1", attempt: 2 }]);
  assert.equal(orders.wakeAtMs, 3000);
  assert.equal(orders.seen("c1", 2500), 2500);
  assert.equal(orders.seen("c1", 2500), null);
  assert.equal(orders.wakeAtMs, null);
});

test("wake: is given up after five minutes, and says so once", () => {
  const orders = new WakeOrders();
  orders.add("c1", 0);
  const steps: string[] = [];
  let nowMs = 0;
  while (orders.wakeAtMs !== null) {
    nowMs = orders.wakeAtMs;
    steps.push(...orders.advance(nowMs).map(({ type }) => type));
  }
  assert.deepEqual(new Set(steps.slice(0, -1)), new Set(["send"]));
  assert.equal(steps.at(-1), "give-up");
  assert.equal(nowMs, 300_000);
});
