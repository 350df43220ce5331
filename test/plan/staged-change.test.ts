import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ComputerResource } from "#api/computer-api.ts";
import type { PlanResource } from "#api/plan-api.ts";
import type { ServerResource } from "#api/server-api.ts";
import type { ControlMoveResource } from "#api/settings-api.ts";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { PlanServer } from "./plan-site.ts";

const skip = networkTestObstacle("ip", "ss") ?? false;
const agentCount = 10;

async function until(what: string, condition: () => boolean, limitMs = 180_000): Promise<void> {
  const startedAtMs = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - startedAtMs < limitMs, `${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => {
      setTimeout(resolve, 1000);
    });
  }
}

test(
  "settings: a new control port is staged: nine agents move, the tenth is away, is listed, and is still served on the old port",
  { skip, timeout: 900_000 },
  async (t) => {
    const hosts = new NetworkHosts(t);
    const names = Array.from({ length: agentCount }, (_, index) => `a${index}`);
    hosts.segment("room", [
      { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
      ...names.map((host, index) => ({ host, interfaceName: "eth0", address: `10.9.0.${index + 10}/24` })),
    ]);
    const server = new PlanServer(t, { hosts, host: "server", interfaces: "eth0" });
    await server.start();
    const { siteKeyFingerprint } = server.json("status") as ServerResource;
    const agents = new Map<string, HostProcess>();
    const startAgent = (name: string): void => {
      const folder = join(server.dataDir, name);
      mkdirSync(folder, { recursive: true });
      const path = join(folder, "agent.toml");
      if (!agents.has(name)) {
        const lines = [`siteKey = "${siteKeyFingerprint}"`, 'server = "10.9.0.1"', `stateDir = "${folder}"`];
        writeFileSync(path, `${lines.join("\n")}\ndiscovery = false\n`);
      }
      agents.set(name, hosts.start(name, process.execPath, ["src/agent/main.ts", "run", "--config", path]));
    };
    names.forEach(startAgent);
    const computers = (): ComputerResource[] => server.json("computer", "list") as ComputerResource[];
    await until("ten ask to be let in", () => computers().length === agentCount);
    for (const { id } of computers()) {
      server.json("computer", "approve", id);
    }
    const connectedCount = (): number => computers().filter(({ environment }) => environment === "os").length;
    await until("ten are connected", () => connectedCount() === agentCount);

    const away = agents.get("a9");
    away?.child.kill("SIGKILL");
    await until("one is away", () => connectedCount() === agentCount - 1);
    server.json("settings", "set", "control.tcpPort", "403");
    const staged = (): ControlMoveResource => server.json("settings", "staged") as ControlMoveResource;
    const listensOn = (port: number): boolean =>
      hosts.run("server", "ss", ["-H", "-n", "-t", "-l"]).includes(`10.9.0.1:${port} `);
    assert.ok(listensOn(402) && listensOn(403), "both are open");
    await until("nine have moved", () => staged().stragglers.length === 1);
    assert.deepEqual(staged().oldPorts, [402]);
    assert.equal(staged().stragglers[0]?.isConnected, false);
    const established = (port: number): number =>
      hosts
        .run("server", "ss", ["-H", "-n", "-t", "state", "established", `sport = :${port}`])
        .split("\n")
        .filter((line) => line.includes(`10.9.0.1:${port}`)).length;
    await until("nine connections on the new port", () => established(403) === agentCount - 1);
    await until("none on the old port", () => established(402) === 0);
    const plan = server.json("plan", "show") as PlanResource;
    assert.deepEqual(plan.flows.find(({ id }) => id === "agent.control")?.ports, [403, 402]);
    assert.deepEqual(plan.differences, []);

    // The server's own restart ends nothing.
    await server.stop("SIGKILL");
    await server.start();
    assert.ok(listensOn(402) && listensOn(403), "the old port is kept over a kill");
    assert.equal(staged().stragglers.length, 1);

    // The tenth comes back to the old port, is served there, and moves: nobody is left, so the old port closes.
    startAgent("a9");
    await agents.get("a9")?.waitFor("connected as", 120_000);
    await until("the old port has closed", () => !listensOn(402));
    await until("nothing is staged", () => staged().oldPorts.length === 0);
    assert.deepEqual(staged().stragglers, []);
    await until("ten on the new port", () => established(403) === agentCount);

    // Released by hand while somebody is away.
    agents.get("a9")?.child.kill("SIGKILL");
    await until("it is away again", () => connectedCount() === agentCount - 1);
    server.json("settings", "set", "control.tcpPort", "404");
    await until("nine have moved again", () => staged().stragglers.length === 1);
    const released = server.json("settings", "staged", "--release") as ControlMoveResource;
    assert.equal(released.stragglers.length, 1, "who is left behind is named");
    assert.ok(!listensOn(403) && listensOn(404));
    assert.deepEqual((server.json("plan", "show") as PlanResource).differences, []);
  },
);
