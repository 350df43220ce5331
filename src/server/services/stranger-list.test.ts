import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { VirtualClock } from "#platform/sim/virtual-clock.ts";
import { StrangerList } from "./stranger-list.ts";

type Owner = { readonly owner: string; readonly isCertified: boolean };

function listen() {
  const clock = new VirtualClock();
  const strangers = new StrangerList(clock);
  const late: string[] = [];
  const come = ({ owner, isCertified }: Owner): TLSSocket | null => {
    const socket = new TLSSocket(new Socket());
    const onLate = (): void => void late.push(owner);
    return strangers.add(socket, { owner, isCertified, mayWait: () => false, onLate }) ? socket : null;
  };
  return { clock, strangers, late, come };
}

test("strangers: sixteen of one owner at most, and who is let in leaves room", () => {
  for (const isCertified of [false, true]) {
    const { strangers, come } = listen();
    const taken = Array.from({ length: 17 }, () => come({ owner: "one", isCertified }));
    assert.equal(taken.indexOf(null), 16);
    assert.ok(come({ owner: "another", isCertified }) !== null);
    strangers.remove(taken[0] as TLSSocket);
    assert.ok(come({ owner: "one", isCertified }) !== null);
  }
});

test("strangers: 2000 without a certificate at most; a whole site of certified computers is let in beside them", () => {
  const { come } = listen();
  const owners = Array.from({ length: 2001 }, (_, index) => `10.0.0.${index}`);
  const taken = owners.map((owner) => come({ owner, isCertified: false }));
  assert.equal(taken.indexOf(null), 2000);
  for (let number = 0; number < 2500; number += 1) {
    assert.ok(come({ owner: `c-${number}`, isCertified: true }) !== null, `${number}`);
  }
  assert.equal(come({ owner: "11.0.0.1", isCertified: false }), null);
});

test("strangers: who has said nothing for 20 s is late, certified or not; who was let in is not", async () => {
  const { clock, strangers, late, come } = listen();
  come({ owner: "silent", isCertified: false });
  come({ owner: "c-1", isCertified: true });
  strangers.remove(come({ owner: "c-2", isCertified: true }) as TLSSocket);
  await clock.advance(19_000);
  assert.deepEqual(late, []);
  await clock.advance(2000);
  assert.deepEqual(late, ["silent", "c-1"]);
});
