import assert from "node:assert/strict";
import { test } from "node:test";
import type { FindingResource, VerifiedSegmentResource } from "#api/verify-api.ts";
import { formatVerification } from "./verify-matrix.ts";

const nothing = { latencyMs: null, cause: null, causeCode: null } as const;

const untried: VerifiedSegmentResource = {
  ...{ segment: "far", cidr: "10.2.0.0/24", intent: "imaging", at: 1, durationMs: 1, prober: null },
  cells: [
    {
      ...{ segment: "far", flow: "boot.tftp", verdict: "not-tested", ...nothing },
      ...{ evidence: "no agent is connected from there", remedy: "boot one of them" },
    },
  ],
};

const tried: VerifiedSegmentResource = {
  ...{ segment: "room", cidr: "10.1.0.0/24", intent: "imaging", at: 1, durationMs: 7000 },
  prober: {
    ...{ computerId: "c-1", name: "pc1", environment: "os", address: "10.1.0.9", serverAddress: "10.1.0.1" },
  },
  cells: [
    {
      ...{ segment: "room", flow: "boot.tftp", verdict: "pass", ...nothing },
      ...{ evidence: "it came", remedy: null },
    },
  ],
};

function lastLine(segments: readonly VerifiedSegmentResource[]): string {
  return formatVerification(segments).split("\n").at(-1) ?? "";
}

test("verify matrix: where nothing was tried it does not say that nothing is wrong", () => {
  assert.equal(lastLine([untried]), "nothing was tested in far");
  assert.match(
    formatVerification([untried]),
    /^far \(10\.2\.0\.0\/24\): not tested, no agent is connected from there\n  boot one of them\n/,
  );
  assert.match(lastLine([]), /^nothing was tested: no segment needs anything/);
  assert.equal(lastLine([tried, untried]), "no faults in room; not tested: far");
  assert.equal(lastLine([tried]), "no faults in room");
});

test("verify matrix: what else is wrong with the segments is named at the end, and nothing of others", () => {
  const finding = (kind: string, name: string): FindingResource => ({
    ...{ kind, severity: "warning", subject: { type: "segment", name }, computerId: null },
    ...{ evidence: "e", cause: "c", remedy: null, seenCount: 1, firstSeenAt: 1, lastSeenAt: 1 },
  });
  const findings = [finding("bad-checksums", "room"), finding("path-mtu", "far")];
  assert.match(
    formatVerification([tried], findings),
    /no faults in room\nalso found: bad-checksums; portolan plan findings says what to do$/,
  );
});
