import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ComputerResource } from "#api/computer-api.ts";
import type { PlanResource } from "#api/plan-api.ts";
import type { ServerResource } from "#api/server-api.ts";
import type { ControlMoveResource } from "#api/settings-api.ts";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { PlanServer } from "./plan-site.ts";

const skip = networkTestObstacle("ip", "ss") ?? false;
const oldAddress = "10.9.0.1";
const newAddress = "10.9.0.200";
const names = ["fixed", "asking", "away"] as const;

async function until(what: string, condition: () => boolean, limitMs = 180_000): Promise<void> {
  const startedAtMs = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - startedAtMs < limitMs, `${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
  }
}

test(
  "settings: agents move to another address of the server, then to another discovery group; what is old stays for who is away",
  { skip, timeout: 900_000 },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("room", [
      { host: "server", interfaceName: "eth0", address: `${oldAddress}/24` },
      ...names.map((host, index) => ({ host, interfaceName: "eth0", address: `10.9.0.${index + 10}/24` })),
    ]);
    hosts.run("server", "ip", ["address", "add", `${newAddress}/24`, "dev", "eth0"]);
    const server = new PlanServer(t, { hosts, host: "server", interfaces: "eth0" });
    await server.start();
    const { siteKeyFingerprint } = server.json("status") as ServerResource;
    const agents = new Map<string, HostProcess>();
    const settingsPath = (name: string): string => join(server.dataDir, name, "agent.toml");
    const startAgent = (name: string): void => {
      agents.set(
        name,
        hosts.start(name, process.execPath, ["src/agent/main.ts", "run", "--config", settingsPath(name)]),
      );
    };
    for (const name of names) {
      const folder = join(server.dataDir, name);
      mkdirSync(folder, { recursive: true });
      const place = name === "asking" ? [] : [`server = "${oldAddress}"`];
      const lines = [`siteKey = "${siteKeyFingerprint}"`, `stateDir = "${folder}"`, ...place];
      writeFileSync(settingsPath(name), `${lines.join("\n")}\n`);
      startAgent(name);
    }
    const computers = (): ComputerResource[] => server.json("computer", "list") as ComputerResource[];
    await until("three ask to be let in", () => computers().length === names.length);
    for (const { id } of computers()) {
      server.json("computer", "approve", id);
    }
    const connectedCount = (): number => computers().filter(({ environment }) => environment === "os").length;
    await until("three are connected", () => connectedCount() === names.length);
    const staged = (): ControlMoveResource => server.json("settings", "staged") as ControlMoveResource;
    const listensOn = (address: string): boolean =>
      hosts.run("server", "ss", ["-H", "-n", "-t", "-l"]).includes(`${address}:402 `);
    const established = (address: string): number =>
      hosts
        .run("server", "ss", ["-H", "-n", "-t", "state", "established", "sport = :402"])
        .split("\n")
        .filter((line) => line.includes(`${address}:402`)).length;
    const groups = (): string => hosts.run("server", "ip", ["maddress", "show", "dev", "eth0"]);
    const differences = (): readonly string[] => (server.json("plan", "show") as PlanResource).differences;

    // An address that this server does not have: nobody is moved, and it says so.
    const refused = server.cli("settings", "set", "control.addresses", "10.9.0.77", "--json");
    assert.equal(refused.status, 1, refused.stdout);
    assert.match(refused.stdout, /10\.9\.0\.77/);
    assert.ok(listensOn(oldAddress));
    assert.equal(established(oldAddress), names.length, "all stay connected");
    server.json("settings", "reset", "control.addresses");
    assert.deepEqual(differences(), []);

    agents.get("away")?.child.kill("SIGKILL");
    await until("one is away", () => connectedCount() === names.length - 1);
    server.json("settings", "set", "control.addresses", newAddress);
    assert.ok(listensOn(oldAddress) && listensOn(newAddress), "both are open");
    await until("two have moved", () => staged().stragglers.length === 1);
    assert.deepEqual(staged().oldAddresses, [oldAddress]);
    assert.equal(staged().stragglers[0]?.isConnected, false);
    await until("two connections to the new address", () => established(newAddress) === names.length - 1);
    await until("none to the old address", () => established(oldAddress) === 0);
    assert.match(readFileSync(settingsPath("fixed"), "utf8"), new RegExp(`server = "${newAddress}"`));
    assert.doesNotMatch(
      readFileSync(settingsPath("asking"), "utf8"),
      /^server =/m,
      "it still asks the group",
    );
    assert.deepEqual(differences(), []);

    await server.stop("SIGKILL");
    await server.start();
    assert.ok(listensOn(oldAddress) && listensOn(newAddress), "the old address is kept over a kill");

    // The third comes back to the old address, is served there and moves: the old address closes.
    startAgent("away");
    await until("the old address has closed", () => !listensOn(oldAddress));
    await until("three connections to the new address", () => established(newAddress) === names.length);
    assert.deepEqual([staged().oldAddresses, staged().stragglers], [[], []]);

    // Another profile has another discovery group: who is connected is told, who is away finds the server by the old one.
    agents.get("asking")?.child.kill("SIGKILL");
    await until("it is away", () => connectedCount() === names.length - 1);
    server.json("settings", "profile", "firewall");
    // A profile takes back what was set over the old one.
    await until("one has not heard of the group", () => staged().oldDiscovery.length === 1);
    assert.deepEqual(staged().oldDiscovery, ["225.1.2.3:402"]);
    assert.match(groups(), /225\.1\.2\.3/);
    assert.match(groups(), /239\.192\.2\.1/);
    assert.deepEqual(differences(), []);
    const knowsGroup = (name: string): boolean =>
      readFileSync(settingsPath(name), "utf8").includes('discoveryGroup = "239.192.2.1"');
    await until("who is connected knows the new group", () => knowsGroup("fixed") && knowsGroup("away"));
    startAgent("asking");
    await until("the third has found the server by the old group, and knows the new", () =>
      knowsGroup("asking"),
    );
    await until("the old group is left", () => !groups().includes("225.1.2.3"));
    await until("all have settled", () => staged().stragglers.length === 0);
    assert.deepEqual(differences(), []);

    // Released by hand while somebody is away.
    agents.get("away")?.child.kill("SIGKILL");
    await until("it is away again", () => connectedCount() === names.length - 1);
    server.json("settings", "set", "control.addresses", newAddress);
    await until("two have moved again", () => staged().stragglers.length === 1);
    const released = server.json("settings", "staged", "--release") as ControlMoveResource;
    assert.equal(released.stragglers.length, 1, "who is left behind is named");
    assert.ok(!listensOn(oldAddress) && listensOn(newAddress));
    assert.deepEqual(differences(), []);
  },
);
