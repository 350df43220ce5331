import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { createFolder, until } from "./agent-site.ts";
import { ManagedSite } from "./managed-site.ts";

function userObstacle(): string | null {
  return /^_lldpd:/m.test(readFileSync("/etc/passwd", "utf8"))
    ? null
    : "needs lldpd with its user, as it is installed";
}

const skip = networkTestObstacle("ip", "lldpd", "lldpcli") ?? userObstacle() ?? false;

type Shown = {
  readonly inventory: {
    readonly cards: readonly { readonly neighbour: { systemName: string; portId: string } | null }[];
  };
};

test(
  "inventory: names the switch that a computer is plugged into, as its LLDP says, what it has become, and a card that goes and comes back",
  { skip, timeout: 300_000 },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("room", [
      { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
      { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
      { host: "plug", interfaceName: "port7", address: "10.9.0.3/24" },
    ]);
    // A bridge keeps LLDP to itself, as a switch does; this one stands for a cable.
    hosts.run("switch", "ip", ["link", "set", "room", "type", "bridge", "group_fwd_mask", "16384"]);
    const site = new ManagedSite(hosts, createFolder(t));
    await site.startServer();
    const agent = site.startAgent("one", { server: "10.9.0.1" });
    await agent.waitFor("waiting for approval", 120_000);
    site.approveAll();
    await agent.waitFor("connected as", 120_000);
    const id = site.idOf("10.9.0.2");
    const neighbour = () => (site.portolan("computer", "show", id) as Shown).inventory.cards[0]?.neighbour;
    assert.equal(neighbour(), null);

    // Neither lldpd nor lldpcli stays root.
    chmodSync(site.folder, 0o711);
    const socket = join(site.folder, "lldpd.socket");
    const say = (...words: readonly string[]): string =>
      hosts.run("plug", "lldpcli", ["-u", socket, ...words]);
    const lldpd = hosts.start("plug", "lldpd", ["-d", "-u", socket, "-I", "port7"]);
    await lldpd.waitFor("initialized", 60_000);
    await until(() => {
      try {
        say("configure", "lldp", "tx-interval", "1");
        return true;
      } catch {
        // It does not listen yet.
        return false;
      }
    });
    say("configure", "lldp", "portidsubtype", "local", "Gi1/0/7");
    say("configure", "system", "hostname", "sw-7");
    /** lldpd does not always follow a new interval, so it is told each time to speak now. */
    const isPluggedInto = (portId: string): boolean => {
      say("resume");
      say("update");
      const found = neighbour();
      return found?.portId === portId && found.systemName === "sw-7";
    };
    await until(() => isPluggedInto("Gi1/0/7"));

    say("configure", "lldp", "portidsubtype", "local", "Gi1/0/9");
    await until(() => isPluggedInto("Gi1/0/9"));
    const news = "eth0 is plugged into sw-7 port Gi1/0/9, was sw-7 port Gi1/0/7";
    await until(() => JSON.stringify(site.portolan("computer", "history", id)).includes(news));

    // As a card that is pulled and plugged in again: another for the kernel, by the same name.
    const [mac = ""] =
      /[0-9a-f]{2}(?::[0-9a-f]{2}){5}/.exec(hosts.run("one", "ip", ["link", "show", "eth0"])) ?? [];
    hosts.run("one", "ip", ["link", "delete", "eth0"]);
    const peer = ["peer", "name", "eth0", "address", mac, "netns", hosts.namespace("one")];
    hosts.run("switch", "ip", ["link", "add", "back", "type", "veth", ...peer]);
    hosts.run("switch", "ip", ["link", "set", "back", "master", "room", "up"]);
    hosts.run("one", "ip", ["link", "set", "eth0", "up"]);
    hosts.run("one", "ip", ["addr", "add", "10.9.0.2/24", "brd", "+", "dev", "eth0"]);
    say("configure", "lldp", "portidsubtype", "local", "Gi1/0/11");
    await until(() => isPluggedInto("Gi1/0/11"));
  },
);
