import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { compareSockets, type ReportedSocket } from "./compare-sockets.ts";
import type { FlowId } from "./flow.ts";
import { computeFlows } from "./flows.ts";
import { classicSettings } from "./settings.ts";

const flows = computeFlows(classicSettings, { consolePort: 8443 });
const address = Ipv4Address.parse("192.168.0.1");

function socket(
  flowId: FlowId | null,
  transport: "udp" | "tcp",
  localPort: number,
  groups: Ipv4Address[] = [],
): ReportedSocket {
  return { flowId, transport, interfaceName: "eth0", localAddress: address, localPort, groups };
}

const standing = [
  socket("boot.dhcp", "udp", 67),
  socket("boot.server", "udp", 4011),
  socket("boot.tftp", "udp", 69),
  socket("boot.http", "tcp", 8069),
  socket("agent.discovery", "udp", 402, [Ipv4Address.parse("225.1.2.3")]),
  socket("agent.control", "tcp", 402),
  socket("console.https", "tcp", 8443),
];

test("plan: a server with exactly its standing sockets has no difference", () => {
  assert.deepEqual(compareSockets(flows, standing, ["eth0"]), []);
});

test("plan: a dynamic transfer port and an imaging source port are part of their flows", () => {
  const extra = [socket("transfer.data", "tcp", 41234), socket("imaging.data", "udp", 50000)];
  assert.deepEqual(compareSockets(flows, [...standing, ...extra], ["eth0"]), []);
});

test("plan: a socket without a flow, on another port, or in another group is a difference", () => {
  const wrong = [
    socket(null, "tcp", 9999),
    socket("boot.tftp", "udp", 6969),
    socket("agent.discovery", "udp", 402, [Ipv4Address.parse("239.9.9.9")]),
  ];
  const differences = compareSockets(flows, [...standing, ...wrong], ["eth0"]);
  assert.equal(differences.length, 3);
  assert.match(differences[0] ?? "", /belongs to no flow/);
  assert.match(differences[1] ?? "", /not what flow boot\.tftp allows/);
  assert.match(differences[2] ?? "", /239\.9\.9\.9/);
});

test("plan: a listener that is missing on one interface is a difference", () => {
  const differences = compareSockets(flows, standing.slice(1), ["eth0"]);
  assert.deepEqual(differences, ["flow boot.dhcp is on, but on eth0 nothing listens for it on udp port 67"]);
  assert.equal(compareSockets(flows, standing, ["eth0", "eth1"]).length, standing.length);
  const deaf = [
    ...standing.filter(({ flowId }) => flowId !== "agent.discovery"),
    socket("agent.discovery", "udp", 402),
  ];
  assert.deepEqual(compareSockets(flows, deaf, ["eth0"]), [
    "flow agent.discovery is on, but on eth0 its group 225.1.2.3 is not joined",
  ]);
});
