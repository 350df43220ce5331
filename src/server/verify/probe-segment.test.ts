import assert from "node:assert/strict";
import { test } from "node:test";
import type { SegmentEvidence } from "#engine/verify/evidence.ts";
import { computeFlows } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { VirtualClock } from "#platform/sim/virtual-clock.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { firstProbeKinds, probeKinds, type ServerProbeMessage } from "#wire/probe/probe-order.ts";
import type { ProbeSighting } from "#wire/probe/probe-sighting.ts";
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

/**
 * One verification by an agent (a fake link) that knows these probes.
 *
 * @param answers what it reports, one after the other; then it is silent
 */
async function verifyWith(
  probes: readonly string[],
  answers: ProbeSighting[] = [],
): Promise<{
  readonly clock: VirtualClock;
  readonly asked: readonly string[];
  readonly evidence: SegmentEvidence;
}> {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const desk = new ProbeDesk(clock);
  const link = {
    ...{ computerId: "c1", environment: "os", address: Ipv4Address.parse("10.9.0.9"), serverAddress },
    hello: { probes },
    send: (message: ServerProbeMessage) => {
      asked.push(message.type === "probe" ? message.order.kind : message.type);
      const sighting = answers.shift();
      if (sighting !== undefined) {
        desk.receive("c1", { type: "probe-result", probeId: message.probeId, sighting, reason: null });
      }
      return true;
    },
  };
  const nic = { name: "eth0", address: serverAddress, prefixLength: 24, mtuBytes: 1500 };
  const dependencies = {
    interfaces: [nic],
    desk,
    watch: new ProbeWatch(),
    bootFiles: { names: () => new Set(), find: () => null },
    transfers: { issue: () => Promise.resolve({ port: 40_000, ticket: "t" }), revoke: () => undefined },
    remote: {
      openProbe: () =>
        Promise.resolve({ port: 40_001, ticket: "r", isJoined: () => false, close: () => undefined }),
    },
    consolePort: 8443,
    failures: () => [],
    isStanding: () => true,
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
  return { clock, asked, evidence: await run };
}

test("verify: an agent that is gone is waited for once, and the segment is over within 30 s", async () => {
  const { clock, asked, evidence } = await verifyWith(probeKinds);
  assert.ok(clock.monotonicMs() <= 30_000, `${clock.monotonicMs()} ms`);
  assert.equal(evidence.control?.type, "not-tried");
  assert.equal(evidence.multicast?.type, "not-tried");
  assert.ok(asked.includes("tftp"), "everything that goes at once is asked");
  assert.ok(!asked.includes("multicast"), "and nothing after it");
});

test("verify: what an agent is too old for is not asked, because it would break off, and is said", async () => {
  const { asked, evidence } = await verifyWith(firstProbeKinds);
  assert.ok(asked.includes("transfer") && !asked.includes("remote"), asked.join());
  assert.deepEqual(evidence.remote, {
    type: "not-tried",
    reason: 'the agent is too old for the probe "remote"; install this server\'s agent on its computer',
  });
});

test("verify: what was slow once is tried again, and what was quick is not", async () => {
  const answer = (elapsedMs: number): ProbeSighting => ({
    kind: "control",
    tcp: { state: "open", elapsedMs, localEnd: null, detail: null },
    tlsMs: 5,
  });
  const seen = ({ evidence }: { readonly evidence: SegmentEvidence }): unknown =>
    evidence.control?.type === "seen" ? evidence.control.sighting : null;
  const busy = await verifyWith(["control"], [answer(1500), answer(3)]);
  assert.deepEqual([busy.asked, seen(busy)], [["control", "control"], answer(3)]);
  const slow = await verifyWith(["control"], [answer(1500), answer(1400)]);
  assert.deepEqual([slow.asked, seen(slow)], [["control", "control"], answer(1400)]);
  const quick = await verifyWith(["control"], [answer(3)]);
  assert.deepEqual([quick.asked, seen(quick)], [["control"], answer(3)]);
});
