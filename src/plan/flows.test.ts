import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { computeFlows, findFlow } from "./flows.ts";
import { classicSettings, firewallSettings } from "./settings.ts";
import { GrantError, grantSocket } from "./socket-grant.ts";

const classicFlows = computeFlows(classicSettings, { consolePort: 8443 });

test("plan: classic fixed ports and groups are exactly the paper's, additions are marked ours", () => {
  const on = classicFlows.filter((flow) => flow.state === "on");
  const fixedPorts = new Set(
    on.flatMap((flow) => (flow.origin === "paper" && !("from" in flow.ports) ? flow.ports : [])),
  );
  assert.deepEqual(
    [...fixedPorts].toSorted((a, b) => a - b),
    [67, 68, 69, 401, 402, 4011],
  );
  const groups = new Set(on.flatMap((flow) => flow.groups));
  assert.deepEqual([...groups].toSorted(), ["224.2.0.2", "224.2.0.3", "225.1.2.3"]);
  assert.deepEqual(
    on.filter((flow) => flow.origin === "ours").map((flow) => flow.id),
    ["boot.http", "transfer.between-servers", "wake.magic-packet", "console.https"],
  );
});

test("plan: the firewall profile leaves no dynamic port on the server", () => {
  const flows = computeFlows(firewallSettings, { consolePort: 8443 });
  const dynamic = flows.filter((flow) => flow.state === "on" && flow.dynamic && flow.to.includes("server"));
  assert.deepEqual(dynamic, []);
});

test("plan: switching discovery or boot off switches their flows off", () => {
  const flows = computeFlows(
    { ...classicSettings, "discovery.enabled": false, "boot.mode": "off" },
    { consolePort: 8443 },
  );
  const off = flows.filter((flow) => flow.state === "off").map((flow) => flow.id);
  for (const id of [
    "agent.discovery",
    "agent.discovery-reply",
    "boot.dhcp",
    "boot.tftp",
    "boot.http",
  ] as const) {
    assert.ok(off.includes(id), id);
  }
});

test("grant: a socket for a port, role or group outside the flow is refused", () => {
  const dhcp = findFlow(classicFlows, "boot.dhcp");
  assert.equal(grantSocket(dhcp, { role: "server", side: "listen", localPort: 67 }).localPort, 67);
  assert.throws(() => grantSocket(dhcp, { role: "server", side: "listen", localPort: 6767 }), GrantError);
  assert.throws(() => grantSocket(dhcp, { role: "operator", side: "listen", localPort: 67 }), GrantError);
  const imaging = findFlow(classicFlows, "imaging.data");
  assert.throws(
    () =>
      grantSocket(imaging, {
        role: "agent",
        side: "listen",
        localPort: 401,
        groups: [Ipv4Address.parse("239.1.1.1")],
      }),
    GrantError,
  );
});

test("grant: a flow that is off grants nothing, a dynamic flow grants port 0", () => {
  const multicast = findFlow(classicFlows, "boot.tftp-multicast");
  assert.throws(() => grantSocket(multicast, { role: "server", side: "connect" }), GrantError);
  const transfer = grantSocket(findFlow(classicFlows, "transfer.data"), { role: "server", side: "listen" });
  assert.equal(transfer.localPort, 0);
  assert.deepEqual(transfer.localPortRange, { from: 1025, to: 65535 });
});
