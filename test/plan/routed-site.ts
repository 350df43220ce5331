import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type HostProcess, networkTestObstacle } from "../network-hosts.ts";
import { VerifySite } from "./verify-site.ts";

export const serverAddress = "192.168.10.1";
export const relayAddress = "192.168.20.254";

type ProfileName = "classic" | "firewall";

const routedGroups = {
  classic: { imaging: ["224.2.0.2", "224.2.0.3"], discovery: "225.1.2.3" },
  firewall: { imaging: ["239.192.2.2", "239.192.2.3"], discovery: "239.192.2.1" },
} as const;

export type Block = {
  readonly host: "router" | "server";
  readonly hook: "output" | "forward";
  readonly match: string;
};

export const routedPrograms = ["ip", "dnsmasq", "dhcrelay", "smcrouted", "nft"] as const;

/** Skips the test, with the reason, where it cannot run. */
export function canRunRouted(t: TestContext): boolean {
  const obstacle = networkTestObstacle(...routedPrograms);
  if (obstacle !== null) {
    t.skip(obstacle);
  }
  return obstacle === null;
}

/**
 *   pc .10 ── far, 192.168.20.0/24 ── .254 router .254 ── near, 192.168.10.0/24 ── server .1, dhcp .2
 *
 * The router forwards, routes the plan's groups, and runs ISC's relay agent towards both.
 */
export class RoutedSite extends VerifySite {
  connect(): void {
    const link = (host: string, interfaceName: string, address: string) => ({ host, interfaceName, address });
    this.hosts.segment("near", [
      link("server", "eth0", `${serverAddress}/24`),
      link("dhcp", "eth0", "192.168.10.2/24"),
      link("router", "eth0", "192.168.10.254/24"),
    ]);
    this.hosts.segment("far", [
      link("router", "eth1", `${relayAddress}/24`),
      link("pc", "eth0", "192.168.20.10/24"),
    ]);
    this.hosts.run("router", "sh", ["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
    for (const host of ["server", "dhcp"]) {
      this.hosts.run(host, "ip", ["route", "add", "192.168.20.0/24", "via", "192.168.10.254"]);
    }
    this.hosts.run("pc", "ip", ["route", "add", "default", "via", relayAddress]);
  }

  /** Static multicast routes, both ways. */
  async routeMulticast(profile: ProfileName): Promise<HostProcess> {
    const { imaging, discovery } = routedGroups[profile];
    const path = join(this.folder, "smcroute.conf");
    const lines = [
      ...["phyint eth0 enable", "phyint eth1 enable"],
      ...imaging.map((group) => `mroute from eth0 group ${group} to eth1`),
      `mgroup from eth1 group ${discovery}`,
      `mroute from eth1 group ${discovery} to eth0`,
    ];
    writeFileSync(path, `${lines.join("\n")}\n`);
    const ipc = join(this.folder, "smcroute.sock");
    const started = this.hosts.start("router", "smcrouted", [
      ...["-n", "-N", "-l", "info", "-f", path, "-u", ipc, "-P", join(this.folder, "smcroute.pid")],
    ]);
    await started.waitFor("Ready");
    return started;
  }

  startRelay(servers: readonly string[] = [serverAddress, "192.168.10.2"]): HostProcess {
    return this.hosts.start("router", "dhcrelay", [
      ...["-4", "-d", "--no-pid", "-a", "-m", "forward", "-id", "eth1", "-iu", "eth0", ...servers],
    ]);
  }

  /** Everything in its place, and an agent connected from the far segment. */
  async startAll(
    given: { readonly relays?: readonly string[]; readonly profile?: ProfileName } = {},
  ): Promise<{ readonly agent: HostProcess; readonly relay: HostProcess }> {
    const profile = given.profile ?? "classic";
    this.connect();
    await this.routeMulticast(profile);
    const relay = this.startRelay();
    await this.startDhcp("dhcp", "192.168.20.100,192.168.20.150,255.255.255.0");
    await this.startServer(["eth0"], { relays: given.relays ?? [relayAddress] });
    await this.json("settings", "profile", profile);
    const agent = await this.startAgent("pc", serverAddress);
    const named = await this.portolan("segment", "add", "far", "192.168.20.0/24");
    if (named.exitCode !== 0) {
      throw new Error(`segment add failed: ${named.stderr}`);
    }
    return { agent, relay };
  }

  /** Has a host drop what the rule names, until `lift`. */
  drop({ host, hook, match }: Block): void {
    this.#load(host, `table ip block { chain c { type filter hook ${hook} priority 0; ${match} drop; }; }`);
  }

  lift({ host }: Block): void {
    this.#load(host, "delete table ip block");
  }

  #load(host: string, text: string): void {
    const path = join(this.folder, "block.nft");
    writeFileSync(path, `${text}\n`);
    this.hosts.run(host, "nft", ["-f", path]);
  }
}
