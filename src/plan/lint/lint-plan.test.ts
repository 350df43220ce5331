import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { computeFlows } from "../flows.ts";
import type { Segment } from "../segment.ts";
import { classicSettings, firewallSettings, type Settings } from "../settings.ts";
import { type LintInput, lintPlan } from "./lint-plan.ts";

const far: Segment = {
  name: "far",
  cidr: { address: Ipv4Address.parse("10.2.0.0"), prefixLength: 24 },
  intent: "imaging",
  interfaceName: null,
  serverAddress: Ipv4Address.parse("10.1.0.1"),
  gatewayAddress: Ipv4Address.parse("10.2.0.254"),
  relayAddress: Ipv4Address.parse("10.2.0.254"),
  origin: "operator",
};

function lint(settings: Partial<Settings> = {}, more: Partial<LintInput> = {}) {
  const all = { ...firewallSettings, ...settings };
  const flows = computeFlows(all, { consolePort: 8443 });
  return lintPlan({ flows, settings: all, segments: [], holders: [], hops: [], ...more });
}

function codes(...given: Parameters<typeof lint>): string[] {
  return lint(...given)
    .filter(({ severity }) => severity !== "note")
    .map(({ code }) => code);
}

const groups = (...texts: readonly string[]): Pick<Settings, "imaging.groups"> => ({
  "imaging.groups": texts.map((text) => Ipv4Address.parse(text)),
});

describe("plan lint", () => {
  test("the firewall profile has no fault and no warning, also behind a router", () => {
    assert.deepEqual(codes(), []);
    assert.deepEqual(codes({}, { segments: [far] }), []);
  });

  test("the classic profile has two notes about its own values, and warnings only where a router is", () => {
    const flat = lint(classicSettings);
    assert.deepEqual(
      flat.map(({ code, severity }) => `${code} ${severity}`),
      ["group-foreign note", "port-privileged note"],
    );
    assert.match(flat[0]?.what ?? "", /225\.1\.2\.3.*224\.2\.0\.2, 224\.2\.0\.3/);
    assert.deepEqual(codes(classicSettings, { segments: [far] }), [
      "dynamic-through-router",
      "dynamic-through-router",
      "dynamic-through-router",
    ]);
  });

  test("a link-local group is a fault", () => {
    assert.deepEqual(codes(groups("224.0.0.77")), ["group-link-local"]);
  });

  test("x.0.0.y and x.128.0.y are flooded, their neighbours are not", () => {
    assert.deepEqual(codes(groups("239.0.0.1")), ["group-flooded"]);
    assert.deepEqual(codes(groups("239.128.0.255")), ["group-flooded"]);
    assert.deepEqual(codes(groups("239.0.1.1", "239.127.0.1", "239.129.0.1")), []);
  });

  test("groups 32 to one Ethernet address are named in pairs", () => {
    const [finding, ...others] = lint(groups("239.1.2.3", "239.129.2.3"));
    assert.equal(finding?.code, "groups-share-mac");
    assert.match(finding.what, /239\.1\.2\.3 and 239\.129\.2\.3 .*01:00:5e:01:02:03/);
    assert.ok(others.every(({ severity }) => severity === "note"));
    // Discovery's group counts too.
    assert.deepEqual(codes(groups("239.64.2.1")), ["groups-share-mac"]);
  });

  test("source-specific, GLOP and reserved ranges are told apart", () => {
    assert.deepEqual(codes(groups("232.1.2.3")), ["group-source-specific"]);
    const note = (group: string): string =>
      lint(groups(group)).find(({ code }) => code === "group-foreign")?.why ?? "";
    assert.match(note("233.1.2.3"), /GLOP/);
    assert.match(note("230.1.2.3"), /reserved/);
    assert.match(note("234.1.2.3"), /RFC 6034/);
    assert.equal(note("239.1.2.3"), "");
  });

  test("one group for discovery and imaging is a fault", () => {
    assert.deepEqual(codes(groups("239.192.2.1")), ["group-in-two-flows"]);
  });

  test("a TTL must exceed the routers that are known of", () => {
    const segments = [far];
    assert.deepEqual(codes({ "imaging.ttl": 1 }, { segments }), ["ttl-too-small"]);
    assert.deepEqual(codes({ "imaging.ttl": 2 }, { segments }), []);
    const hops = [{ segmentName: "far", routerCount: 3 }];
    const [finding] = lint({ "imaging.ttl": 3 }, { segments, hops });
    assert.deepEqual(
      [finding?.code, finding?.mend],
      ["ttl-too-small", "portolan settings set imaging.ttl 4"],
    );
    assert.deepEqual(codes({ "imaging.ttl": 4 }, { segments, hops }), []);
    const both = [far, { ...far, name: "farther" }];
    const [every] = lint(
      { "imaging.ttl": 1 },
      { segments: both, hops: [{ segmentName: "farther", routerCount: 2 }] },
    );
    assert.match(
      every?.what ?? "",
      /TTL 1 does not reach segment far, which is 1 router away; nor segment farther, which is 2 routers away\.$/,
    );
  });

  test("a TTL far above what was measured is a note; without a measurement there is none", () => {
    const large = (hops: LintInput["hops"]): string[] =>
      lint({ "imaging.ttl": 128 }, { segments: [far], hops })
        .filter(({ code }) => code === "ttl-too-large")
        .flatMap(({ flows }) => flows);
    assert.deepEqual(large([{ segmentName: "far", routerCount: 2 }]), ["agent.discovery", "imaging.data"]);
    assert.deepEqual(large([]), []);
  });

  test("two listeners on one port are a fault that names the setting to move", () => {
    const [finding] = lint({ "boot.httpPort": 402 });
    assert.equal(finding?.code, "port-clash");
    assert.deepEqual(finding.flows, ["boot.http", "agent.control"]);
    assert.match(finding.mend, /settings set control\.tcpPort|settings set boot\.httpPort/);
    assert.deepEqual(codes({ "transfer.port": 8443 }), ["port-clash"]);
  });

  test("remote control inside the control port is no clash, nor are sessions on the discovery port", () => {
    assert.deepEqual(codes({ "imaging.ports": [402] }), []);
  });

  test("a port that another program holds is named with the program", () => {
    const [finding] = lint(
      {},
      { holders: [{ transport: "udp", port: 69, program: "in.tftpd (process 7)" }] },
    );
    assert.equal(finding?.code, "port-held");
    assert.match(`${finding.what} ${finding.mend}`, /69.*in\.tftpd \(process 7\)/);
    assert.deepEqual(codes({}, { holders: [{ transport: "tcp", port: 69, program: "x" }] }), []);
  });

  test("a segment behind a router without our address is a fault, without a relay a warning", () => {
    assert.deepEqual(codes({}, { segments: [{ ...far, serverAddress: null, relayAddress: null }] }), [
      "segment-without-server-address",
      "segment-without-relay",
    ]);
    const managed = { ...far, intent: "management", relayAddress: null } as const;
    assert.deepEqual(codes({}, { segments: [managed] }), []);
    assert.deepEqual(codes({}, { segments: [{ ...far, intent: "none", serverAddress: null }] }), []);
    assert.deepEqual(codes({}, { segments: [{ ...far, interfaceName: "eth0", relayAddress: null }] }), []);
  });

  test("every finding says what, why and how to mend it", () => {
    const all = [
      ...lint(classicSettings, { segments: [{ ...far, serverAddress: null, relayAddress: null }] }),
      ...lint(groups("224.0.0.9", "239.0.0.1", "232.1.1.1", "239.192.2.1")),
    ];
    for (const { what, why, mend, code } of all) {
      assert.match(what, /\.$/, code);
      assert.match(why, /\.$/, code);
      assert.match(mend, /portolan (settings|segment) /, code);
    }
  });
});
