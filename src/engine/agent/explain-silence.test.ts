import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { explainSilence } from "./explain-silence.ts";

const own = { group: Ipv4Address.parse("225.1.2.3"), port: 402, ttl: 32 };

test("silence: what the server said last names the cause", () => {
  assert.equal(explainSilence(own, null), null);
  assert.match(
    explainSilence(own, { isEnabled: false, group: own.group, port: 402 }) ?? "",
    /discovery is switched off on this server/,
  );
  assert.match(
    explainSilence(own, { isEnabled: true, group: own.group, port: 403 }) ?? "",
    /listens on 225\.1\.2\.3, UDP port 403.*this agent asks 225\.1\.2\.3, UDP port 402/,
  );
  assert.match(
    explainSilence(own, { isEnabled: true, group: own.group, port: 402 }) ?? "",
    /not on its segment.*TTL of 32 is too small/,
  );
});
