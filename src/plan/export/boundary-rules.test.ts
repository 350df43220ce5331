import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { computeFlows } from "../flows.ts";
import type { Segment } from "../segment.ts";
import { classicSettings, firewallSettings } from "../settings.ts";
import { BoundaryError, type BoundaryRule, computeBoundaryRules } from "./boundary-rules.ts";

const far: Segment = {
  name: "far",
  cidr: { address: Ipv4Address.parse("192.168.20.0"), prefixLength: 24 },
  intent: "imaging",
  interfaceName: null,
  serverAddress: Ipv4Address.parse("192.168.10.1"),
  gatewayAddress: Ipv4Address.parse("192.168.20.254"),
  relayAddress: Ipv4Address.parse("192.168.20.254"),
  origin: "operator",
};
const classicFlows = computeFlows(classicSettings, { consolePort: 8443 });
const firewallFlows = computeFlows(firewallSettings, { consolePort: 8443 });

function spansMeet(left: BoundaryRule["sourcePorts"], right: BoundaryRule["sourcePorts"]): boolean {
  return (
    left === null ||
    right === null ||
    left.some((one) => right.some((other) => one.from <= other.to && other.from <= one.to))
  );
}

/** Same direction, protocol, kind of destination, and ports in common: one packet could match both. */
function overlap(left: BoundaryRule, right: BoundaryRule): boolean {
  const groupsMeet =
    left.groups.length === 0 && right.groups.length === 0
      ? true
      : left.groups.some((group) => right.groups.includes(group));
  return (
    left.direction === right.direction &&
    left.transport === right.transport &&
    groupsMeet &&
    spansMeet(left.sourcePorts, right.sourcePorts) &&
    spansMeet(left.destinationPorts, right.destinationPorts)
  );
}

function idsOf(...given: Parameters<typeof computeBoundaryRules>): string[] {
  return computeBoundaryRules(...given).map(({ id }) => id);
}

describe("boundary rules", () => {
  test("the classic profile needs these, with TFTP data coming back from ports the server chooses", () => {
    assert.deepEqual(idsOf(classicFlows, far), [
      "boot.dhcp/to-server",
      "boot.dhcp-reply/to-segment",
      "boot.server/to-server",
      "boot.tftp/to-server",
      "boot.tftp-data/to-segment",
      "boot.http/to-server",
      "agent.discovery/to-server",
      "agent.discovery-reply/to-segment",
      "agent.control/to-server",
      "transfer.data/to-server",
      "imaging.data/to-segment",
    ]);
  });

  test("with single-port TFTP the data is an answer and needs no rule", () => {
    assert.ok(!idsOf(firewallFlows, far).includes("boot.tftp-data/to-segment"));
  });

  test("in the firewall profile no rule towards the server is a range", () => {
    const ranges = computeBoundaryRules(firewallFlows, far).filter(
      ({ direction, destinationPorts }) =>
        direction === "to-server" && destinationPorts.some(({ from, to }) => from !== to),
    );
    assert.deepEqual(ranges, []);
  });

  test("flows that look the same to a filter share a rule", () => {
    const [shared, ...others] = computeBoundaryRules(classicFlows, far).filter(({ flowId, alsoFor }) =>
      [flowId, ...alsoFor].includes("remote.control"),
    );
    assert.deepEqual(
      [shared?.id, shared?.alsoFor, others],
      ["transfer.data/to-server", ["remote.control"], []],
    );
  });

  test("no packet passes by two rules", () => {
    for (const flows of [classicFlows, firewallFlows]) {
      const rules = computeBoundaryRules(flows, far);
      const clashes = rules.flatMap((rule, index) =>
        rules
          .slice(index + 1)
          .filter((other) => overlap(rule, other))
          .map((other) => `${rule.id} and ${other.id}`),
      );
      assert.deepEqual(clashes, []);
    }
  });

  test("the console is never opened for a segment of computers", () => {
    assert.ok(idsOf(classicFlows, far).every((id) => !id.startsWith("console.")));
  });

  test("a range of dynamic ports has holes where console, database and other flows are", () => {
    const transfer = computeBoundaryRules(classicFlows, far).find(({ flowId }) => flowId === "transfer.data");
    assert.deepEqual(transfer?.destinationPorts, [
      { from: 1025, to: 5431 },
      { from: 5433, to: 8068 },
      { from: 8070, to: 8442 },
      { from: 8444, to: 65535 },
    ]);
  });

  test("offers go to the relay's own address, port 67", () => {
    const reply = computeBoundaryRules(classicFlows, far).find(({ flowId }) => flowId === "boot.dhcp-reply");
    assert.deepEqual(reply?.destination, { address: "192.168.20.254", prefixLength: 32 });
    assert.deepEqual(reply?.destinationPorts, [{ from: 67, to: 67 }]);
  });

  test("on the server's own segment DHCP is broadcast from port 68 to port 67", () => {
    const [request, reply] = computeBoundaryRules(classicFlows, { ...far, interfaceName: "eth0" });
    assert.deepEqual(request?.sourcePorts, [{ from: 68, to: 68 }]);
    assert.deepEqual(request.destinationPorts, [{ from: 67, to: 67 }]);
    assert.deepEqual(reply?.destinationPorts, [{ from: 68, to: 68 }]);
    assert.deepEqual([request.destination, reply.destination], [null, null]);
  });

  test("where multicast stays local there is no rule for a group, and none for answers to one", () => {
    const rules = computeBoundaryRules(classicFlows, far, { multicast: "local" });
    assert.ok(rules.every(({ groups }) => groups.length === 0));
    assert.ok(!rules.some(({ flowId }) => flowId === "agent.discovery-reply"));
  });

  test("a segment for management needs neither boot nor imaging, one for nothing needs nothing", () => {
    const managed = idsOf(classicFlows, { ...far, intent: "management" });
    assert.ok(managed.includes("agent.control/to-server"));
    assert.ok(!managed.some((id) => id.startsWith("boot.") || id.startsWith("imaging.")));
    assert.deepEqual(idsOf(classicFlows, { ...far, intent: "none" }), []);
  });

  test("ids are unique, reasons are sentences", () => {
    const rules = computeBoundaryRules(classicFlows, far);
    assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
    for (const { id, reason } of rules) {
      assert.match(reason, /^[A-Z].*[.]$/, id);
    }
  });

  test("without a server address the error says how to give one", () => {
    assert.throws(
      () => computeBoundaryRules(classicFlows, { ...far, serverAddress: null }),
      (error) => error instanceof BoundaryError && error.message.includes("portolan segment set far"),
    );
  });
});
