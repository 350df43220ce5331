import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { createFolder, until } from "./agent-site.ts";
import { ManagedSite } from "./managed-site.ts";

const skip = networkTestObstacle("ip") ?? false;

type Woken = { readonly sent: number; readonly peers: readonly string[] };

test(
  "wake: a computer on another segment hears the magic packet of its neighbour at once, through no router",
  { skip },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("near", [
      { host: "server", interfaceName: "eth0", address: "10.9.1.1/24" },
      { host: "router", interfaceName: "near", address: "10.9.1.254/24" },
    ]);
    hosts.segment("far", [
      { host: "router", interfaceName: "far", address: "10.9.2.254/24" },
      { host: "awake", interfaceName: "eth0", address: "10.9.2.2/24" },
      { host: "sleeper", interfaceName: "eth0", address: "10.9.2.3/24" },
    ]);
    hosts.run("router", "sysctl", ["-q", "-w", "net.ipv4.ip_forward=1"]);
    hosts.run("server", "ip", ["route", "add", "default", "via", "10.9.1.254"]);
    for (const host of ["awake", "sleeper"]) {
      hosts.run(host, "ip", ["route", "add", "default", "via", "10.9.2.254"]);
    }
    const site = new ManagedSite(hosts, createFolder(t));
    await site.startServer();
    const agents = ["awake", "sleeper"].map((host) => site.startAgent(host, { server: "10.9.1.1" }));
    await Promise.all(agents.map((agent) => agent.waitFor("waiting for approval", 60_000)));
    site.approveAll();
    await Promise.all(agents.map((agent) => agent.waitFor("connected as", 60_000)));
    const sleeperId = site.idOf("10.9.2.3");
    const mac = hosts.run("sleeper", "cat", ["/sys/class/net/eth0/address"]).trim();
    agents[1]?.child.kill("SIGKILL");
    const ear = hosts.start("sleeper", process.execPath, ["test/agent/listen-for-magic.ts", "9", "401"]);
    await ear.waitFor("listening");
    const orderedAtMs = performance.now();
    const woken = site.portolan("computer", "wake", sleeperId, "--secure-on", "010203040506") as Woken;
    assert.deepEqual(woken.peers, [site.idOf("10.9.2.2")]);
    const heard = await ear.waitFor(`magic ${mac} to 401 from 10.9.2.2`);
    t.diagnostic(`heard ${Math.round(performance.now() - orderedAtMs)} ms after the command was given`);
    assert.match(heard, /password 010203040506/);
    assert.doesNotMatch(heard, / to 9 /, "what the server broadcasts stays on its own segment");
    const sourcePort = Number(/from 10\.9\.2\.2:(\d+)/.exec(heard)?.[1]);
    assert.ok(sourcePort > 1024, `source port ${sourcePort}`);
    await ear.waitFor(`magic ${mac}`);
    const again = site.restartAgent("sleeper");
    await again.waitFor("connected as", 60_000);
    const readWakes = (): string[] => {
      const history = site.portolan("computer", "history", sleeperId) as { kind: string; detail: string }[];
      return history.filter(({ kind }) => kind === "wake").map(({ detail }) => detail);
    };
    await until(() => readWakes().length >= 2);
    const wakes = readWakes();
    t.diagnostic(wakes.join("; "));
    assert.match(wakes[0] ?? "", /^seen [0-9.]+ s after the order$/);
    assert.match(wakes[1] ?? "", /^ordered; by the server and 1 peers \(known-segment\)$/);
    const forwarding = hosts.run("router", "cat", ["/proc/sys/net/ipv4/conf/all/bc_forwarding"]);
    assert.equal(forwarding.trim(), "0", "the router passes no directed broadcast");
  },
);

test(
  "rogue server: there first on the group, it gets no connection, and the site is told",
  { skip },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("room", [
      { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
      { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
      { host: "rogue", interfaceName: "eth0", address: "10.9.0.66/24" },
    ]);
    const site = new ManagedSite(hosts, createFolder(t));
    const rogueFolder = createFolder(t);
    const rogue = hosts.start("rogue", process.execPath, ["test/agent/serve-agents.ts", rogueFolder, "eth0"]);
    await rogue.waitFor('{"event":"ready"}');
    const server = await site.startServer();
    // The agent starts while the site's own server cannot answer: the rogue is first by far.
    server.child.kill("SIGSTOP");
    const one = site.startAgent("one", {});
    await one.waitFor("10.9.0.66 answers agents with the foreign key", 60_000);
    server.child.kill("SIGCONT");
    await one.waitFor("waiting for approval", 60_000);
    site.approveAll();
    await one.waitFor("connected as", 60_000);
    const id = site.idOf("10.9.0.2");
    const read = (): string =>
      (site.portolan("computer", "history", id) as { kind: string; detail: string }[])
        .map(({ kind, detail }) => `${kind}: ${detail}`)
        .join("\n");
    let history = read();
    while (!history.includes("rogue-server")) {
      history = read();
    }
    assert.match(history, /rogue-server: 10\.9\.0\.66 answers agents with the foreign key [0-9a-f]{16}/);
    const readFindings = (): string => JSON.stringify(site.portolan("plan", "findings"));
    await until(() => readFindings().includes("rogue-discovery-server"));
    assert.match(readFindings(), /rogue-discovery-server.*10\.9\.0\.66 answered the agent at 10\.9\.0\.2/);
    rogue.child.kill("SIGQUIT");
    const counters = await rogue.waitFor('"counters"');
    assert.match(counters, /"control":\{\}/, "nobody has opened a connection to it");
  },
);
