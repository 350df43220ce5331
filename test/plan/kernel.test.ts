import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlanResource } from "#api/plan-api.ts";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import type { Combination, Observation } from "./combine-settings.ts";
import { createServerRoom, PlanServer } from "./plan-site.ts";

const skip = networkTestObstacle("ip", "ss") ?? false;

const features: readonly (readonly [string, readonly string[]])[] = [
  ["discovery.enabled", ["on", "off"]],
  ["boot.mode", ["proxy", "dhcp", "off"]],
  ["tftp.singlePort", ["on", "off"]],
  ["tftp.multicast", ["on", "off"]],
  ["transfer.port", ["0", "5001"]],
  ["remote.port", ["0", "control"]],
  ["control.tcpPort", ["402", "4402"]],
];

/** In the order of a Gray code: each differs from the one before it in one setting. */
function allCombinations(): Combination[] {
  const settings = features.reduce<Record<string, string>[]>(
    (found, [key, values]) =>
      found.flatMap((one, index) =>
        (index % 2 === 0 ? values : values.toReversed()).map((value) => ({ ...one, [key]: value })),
      ),
    [{}],
  );
  // With our own leases TFTP is what it is beside another DHCP server: all of it on and all of it off are enough.
  const told = settings.filter(
    (one) => one["boot.mode"] !== "dhcp" || one["tftp.singlePort"] === one["tftp.multicast"],
  );
  return (["classic", "firewall"] as const).flatMap((profile) =>
    told.map((one) => ({ profile, settings: one })),
  );
}

function placeOf(
  socket: { readonly interface: string | null; readonly address: string; readonly port: number },
  transport: string,
): string {
  // The kernel names the interface of a UDP socket and the address of a TCP one.
  return transport === "udp"
    ? `udp ${socket.interface} ${socket.port}`
    : `tcp ${socket.address} ${socket.port}`;
}

/** The plan and the kernel, in both directions. */
function assertSame({ plan, kernelSockets, kernelGroups, combination }: Observation): void {
  const name = JSON.stringify(combination);
  assert.deepEqual(plan.differences, [], name);
  const planned = plan.flows.flatMap((flow) => flow.sockets.map((socket) => placeOf(socket, flow.transport)));
  const open = kernelSockets.map((socket) =>
    placeOf({ ...socket, interface: socket.interfaceName }, socket.transport),
  );
  assert.deepEqual(open.toSorted(), planned.toSorted(), name);
  const joined = plan.flows.flatMap((flow) =>
    flow.sockets.flatMap((socket) => socket.groups.map((group) => `${socket.interface} ${group}`)),
  );
  assert.deepEqual([...kernelGroups].toSorted(), [...new Set(joined)].toSorted(), name);
}

/** What the settings ask for, told by hand: the table itself must not be its own witness. */
function expectedPorts({ settings }: Combination): string[] {
  const isBooting = settings["boot.mode"] !== "off";
  return [
    "tcp 8443",
    `tcp ${settings["control.tcpPort"]}`,
    ...(settings["transfer.port"] === "0" ? [] : ["tcp 5001"]),
    ...(settings["discovery.enabled"] === "on" ? ["udp 402"] : []),
    ...(isBooting ? ["udp 67", "udp 69", "udp 4011", "tcp 8069"] : []),
    ...(isBooting && settings["tftp.multicast"] === "on" ? ["udp 1759"] : []),
  ].toSorted();
}

test(
  "plan: in every combination of profile and features the kernel has exactly the sockets and groups of the plan",
  { skip, timeout: 600_000 },
  async (t) => {
    const { hosts, server } = createServerRoom(t);
    await server.start();
    const combinations = allCombinations();
    const driver = hosts.start("server", process.execPath, [
      "--disable-warning=ExperimentalWarning",
      "test/plan/combine-settings.ts",
      server.dataDir,
      String(server.process.child.pid),
      JSON.stringify(combinations),
    ]);
    await new Promise((resolve) => {
      driver.child.once("close", resolve);
    });
    const lines = driver
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{"));
    assert.equal(lines.length, combinations.length, driver.output().slice(-2000));
    for (const line of lines) {
      const observation = JSON.parse(line) as Observation;
      assertSame(observation);
      const onSegment = observation.kernelSockets.filter(({ address }) => address !== "127.0.0.1");
      const ports = onSegment.map(({ transport, port }) => `${transport} ${port}`).toSorted();
      assert.deepEqual(ports, expectedPorts(observation.combination));
      const { profile, settings } = observation.combination;
      const group = profile === "classic" ? "225.1.2.3" : "239.192.2.1";
      const groups = settings["discovery.enabled"] === "on" ? [`eth0 ${group}`] : [];
      assert.deepEqual(observation.kernelGroups, groups);
    }
    t.diagnostic(`${lines.length} combinations, changed while the server ran`);
  },
);

test(
  "plan: a server that starts with other settings opens what they say",
  { skip, timeout: 300_000 },
  async (t) => {
    const { hosts, server } = createServerRoom(t);
    await server.start();
    server.json("settings", "profile", "firewall");
    server.json("settings", "set", "boot.mode", "off");
    await server.stop("SIGKILL");
    await server.start();
    const text = hosts.run("server", "ss", ["-H", "-n", "-t", "-u", "-l"]);
    const ports = [...text.matchAll(/^(udp|tcp).*?10\.9\.0\.1:(\d+)|^(udp|tcp).*?%eth0:(\d+)/gm)].map(
      ([, tcp, tcpPort, udp, udpPort]) => `${tcp ?? udp} ${tcpPort ?? udpPort}`,
    );
    assert.deepEqual(ports.toSorted(), ["tcp 402", "tcp 4402", "tcp 8443", "udp 402"]);
    assert.deepEqual((server.json("plan", "show") as PlanResource).differences, []);
  },
);

test(
  "plan: a busy port is named with its holder, the old one stays, and the move is made when it is free",
  { skip, timeout: 300_000 },
  async (t) => {
    const { hosts, server } = createServerRoom(t);
    await server.start();
    const holder = hosts.start("server", process.execPath, [
      "-e",
      'require("net").createServer().listen(8070, "10.9.0.1", () => console.log("holding"))',
    ]);
    await holder.waitFor("holding");
    const refused = server.cli("settings", "set", "boot.httpPort", "8070");
    assert.equal(refused.status, 1, refused.stdout);
    assert.match(refused.stderr + refused.stdout, /tcp port 8070 \(boot\.http\) on eth0 is held by .*node/);
    assert.match(hosts.run("server", "ss", ["-H", "-n", "-t", "-l"]), /10\.9\.0\.1:8069/);
    const plan = server.cli("plan", "show");
    assert.equal(plan.status, 3, "an open socket that is not in the plan is an error");
    assert.match(plan.stdout, /tcp 10\.9\.0\.1:8069 on eth0 is open, but is not what flow boot\.http allows/);
    holder.child.kill("SIGKILL");
    const endAtMs = performance.now() + 60_000;
    while (server.cli("plan", "show").status !== 0 && performance.now() < endAtMs) {
      await new Promise((resolve) => {
        setTimeout(resolve, 500);
      });
    }
    assert.match(hosts.run("server", "ss", ["-H", "-n", "-t", "-l"]), /10\.9\.0\.1:8070/);
  },
);

test(
  "plan: without a flow in the table the program refuses to open its socket, and the rest runs",
  { skip, timeout: 300_000 },
  async (t) => {
    const { hosts, server } = createServerRoom(t);
    await server.start(["--import", "./test/plan/delete-flow.ts"], { DELETED_FLOW: "boot.tftp" });
    assert.match(
      server.process.output(),
      /tftp: failed: no socket without a flow: boot\.tftp: it is not in the plan/,
    );
    assert.match(server.process.output(), /dhcp: running/);
    const text = hosts.run("server", "ss", ["-H", "-n", "-u", "-l"]);
    assert.match(text, /%eth0:67 /);
    assert.doesNotMatch(text, /:69 /);
  },
);

test(
  "plan: on a server with two sides every socket is on the interface it was named for",
  { skip, timeout: 300_000 },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("left", [{ host: "server", interfaceName: "eth0", address: "192.168.0.1/24" }]);
    hosts.segment("right", [{ host: "server", interfaceName: "eth1", address: "11.11.11.1/24" }]);
    hosts.segment("other", [{ host: "server", interfaceName: "eth2", address: "10.77.0.1/24" }]);
    const server = new PlanServer(t, { hosts, host: "server", interfaces: "eth0,eth1" });
    await server.start();
    const text = hosts.run("server", "ss", ["-H", "-n", "-t", "-u", "-l"]);
    for (const address of ["192.168.0.1", "11.11.11.1"]) {
      assert.ok(text.includes(`${address}:402 `), address);
    }
    for (const name of ["eth0", "eth1"]) {
      assert.ok(text.includes(`%${name}:67 `), name);
    }
    assert.doesNotMatch(
      text,
      /eth2|10\.77\.0\.1|0\.0\.0\.0:(402|8443|8069)/,
      "nothing on an interface that was not named",
    );
    assert.deepEqual((server.json("plan", "show") as PlanResource).differences, []);
  },
);
