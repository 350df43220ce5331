import assert from "node:assert/strict";
import { test } from "node:test";
import type { SegmentEvidence } from "#engine/verify/evidence.ts";
import { computeFlows } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { VirtualClock } from "#platform/sim/virtual-clock.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { ProbeDesk } from "./probe-desk.ts";
import { SegmentProbe, type ProbeSegmentDependencies } from "./probe-segment.ts";
import { ProbeWatch } from "./probe-watch.ts";

const serverAddress = Ipv4Address.parse("10.9.0.1");
const segment = {
  name: "room",
  cidr: Ipv4Subnet.of(serverAddress, 24),
  intent: "imaging",
  interfaceName: "eth0",
  serverAddress,
  gatewayAddress: null,
  relayAddress: null,
  origin: "interface",
} as const;

test("verify: an agent that is gone (a fake link) is waited for once, and the segment is over within 30 s", async () => {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const link = {
    ...{ computerId: "c1", environment: "os", address: Ipv4Address.parse("10.9.0.9"), serverAddress },
    send: (message: { readonly type: string; readonly order?: { readonly kind: string } }) => {
      asked.push(message.order?.kind ?? message.type);
      return true;
    },
  };
  const nic = { name: "eth0", address: serverAddress, prefixLength: 24, mtuBytes: 1500 };
  const dependencies = {
    interfaces: [nic],
    desk: new ProbeDesk(clock),
    watch: new ProbeWatch(),
    bootFiles: { names: () => new Set(), find: () => null },
    transfers: { issue: () => Promise.resolve({ port: 40_000, ticket: "t" }), revoke: () => undefined },
    consolePort: 8443,
  };
  const probe = new SegmentProbe(
    {
      segment,
      link: link as never,
      flows: computeFlows(classicSettings, { consolePort: 8443 }),
      onStep: () => undefined,
    },
    dependencies as unknown as ProbeSegmentDependencies,
  );
  const run: Promise<SegmentEvidence> = probe.run("pc1");
  assert.equal(await clock.runUntilIdle(), true);
  const evidence = await run;
  assert.ok(clock.monotonicMs() <= 30_000, `${clock.monotonicMs()} ms`);
  assert.equal(evidence.control?.type, "not-tried");
  assert.equal(evidence.multicast?.type, "not-tried");
  assert.ok(asked.includes("tftp"), "everything that goes at once is asked");
  assert.ok(!asked.includes("multicast"), "and nothing after it");
});
