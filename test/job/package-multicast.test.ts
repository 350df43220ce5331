import assert from "node:assert/strict";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { distributePackage } from "./distribute-package.ts";

const sizeBytes = 24 << 20;
const computerCount = 4;

test(
  "package: one multicast to four agents, to one that hears none by unicast, hashes equal; the session says who",
  { skip: networkTestObstacle("ip", "sha256sum", "nft") ?? false, timeout: 1_200_000 },
  async (t) => {
    const sent = await distributePackage(t, { sizeBytes, computerCount });
    t.diagnostic(JSON.stringify(sent));
    assert.deepEqual(sent.moved, [{ name: sent.deafName, reason: "no multicast reached it" }]);
    assert.ok(
      sent.multicastCopies >= 0.99 && sent.multicastCopies < 1.2,
      `${sent.multicastCopies} copies by multicast, although one computer acknowledges none of it`,
    );
    const { cardCopies } = sent;
    assert.ok(
      cardCopies < 2.3,
      `${cardCopies} copies on the card: one for the room, one for the deaf computer`,
    );
  },
);
