import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import type { BoundaryRule } from "#plan/export/boundary-rules.ts";
import { exporters, exportInputOf } from "#plan/export/exporters.ts";
import type { ProfileName } from "#plan/settings.ts";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { farRequest } from "#tools/export-examples.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";

const peer = join(import.meta.dirname, "boundary-peer.ts");
const relayAddress = "192.168.20.253";
const closedPorts = ["22", "5432", "8443"];

type Knocks = Readonly<Record<string, boolean>>;

/** Server – router – computer, plain sockets on both sides, the router forwarding whatever its rules let it. */
class Boundary {
  readonly hosts: NetworkHosts;
  readonly rules: readonly BoundaryRule[];
  readonly #folder: string;
  readonly #input;
  readonly #ports: readonly string[];

  constructor(t: TestContext, profile: ProfileName) {
    this.#folder = mkdtempSync(join(tmpdir(), "portolan-rules-"));
    t.after(() => rmSync(this.#folder, { recursive: true }));
    this.hosts = new NetworkHosts(t);
    this.hosts.segment("near", [
      { host: "server", interfaceName: "eth0", address: "192.168.10.1/24" },
      { host: "router", interfaceName: "eth0", address: "192.168.10.254/24" },
    ]);
    this.hosts.segment("far", [
      { host: "router", interfaceName: "eth1", address: "192.168.20.254/24" },
      { host: "computer", interfaceName: "eth0", address: "192.168.20.10/24" },
    ]);
    this.hosts.run("computer", "ip", ["addr", "add", `${relayAddress}/24`, "dev", "eth0"]);
    this.hosts.run("server", "ip", ["route", "add", "default", "via", "192.168.10.254"]);
    this.hosts.run("computer", "ip", ["route", "add", "default", "via", "192.168.20.254"]);
    this.hosts.run("router", "sh", ["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
    const request = farRequest(profile);
    const segment = { ...request.segment, relayAddress: Ipv4Address.parse(relayAddress) };
    this.#input = exportInputOf({ ...request, segment });
    this.rules = this.#input.rules;
    this.#ports = ["402", "8069", profile === "classic" ? "40123" : "4402", ...closedPorts];
  }

  write(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }

  export(format: "nftables" | "iptables" | "smcroute" | "frr"): string {
    return this.write(format, exporters[format].render(this.#input));
  }

  exportRollback(format: "nftables" | "iptables"): string {
    return this.write(`${format}-rollback`, exporters[format].renderRollback(this.#input));
  }

  nft(...args: readonly string[]): string {
    return this.hosts.run("router", "nft", args);
  }

  #groups(): string[] {
    return ["agent.discovery", "imaging.data"].map(
      (id) => this.rules.find(({ flowId }) => flowId === id)?.groups[0] ?? "",
    );
  }

  /** The groups are routed by FRRouting's pimd from what was exported for it. */
  async startFrr(): Promise<void> {
    const folder = join(this.#folder, "routing");
    // FRRouting's programs give up root.
    chmodSync(this.#folder, 0o755);
    this.hosts.run("router", "install", ["-d", "-o", "frr", "-g", "frr", folder]);
    const start = (program: string, config: string): HostProcess => {
      const path = join(folder, `${program}.conf`);
      writeFileSync(path, config);
      return this.hosts.start("router", `/usr/lib/frr/${program}`, [
        ...["-f", path, "-i", join(folder, `${program}.pid`), "-z", join(folder, "zserv")],
        ...["--vty_socket", folder, "--log", "stdout"],
      ]);
    };
    const zebra = start("zebra", "log stdout\n");
    await zebra.waitFor("starting");
    start("pimd", readFileSync(this.export("frr"), "utf8"));
    await zebra.waitFor("announce only pim");
  }

  async start(multicast: "smcroute" | "none" = "smcroute"): Promise<void> {
    if (multicast === "smcroute") {
      this.#startSmcroute();
    }
    const server = this.hosts.start("server", process.execPath, [
      ...[peer, "server", "192.168.10.1", relayAddress, ...this.#groups(), ...this.#ports],
    ]);
    await server.waitFor("serving");
  }

  #startSmcroute(): void {
    const socket = join(this.#folder, "smcroute.sock");
    this.hosts.start("router", "smcrouted", [
      ...["-n", "-N", "-f", this.export("smcroute"), "-u", socket, "-P", join(this.#folder, "smcroute.pid")],
    ]);
  }

  knock(): Knocks {
    const text = this.hosts.run("computer", process.execPath, [
      ...[peer, "computer", "192.168.20.10", "192.168.10.1", relayAddress, ...this.#groups(), ...this.#ports],
    ]);
    return JSON.parse(text) as Knocks;
  }
}

function blocked(knocks: Knocks): string[] {
  return Object.entries(knocks)
    .filter(([, isThrough]) => !isThrough)
    .map(([name]) => name)
    .toSorted();
}

const closedNames = closedPorts.map((port) => `tcp${port}`);

/** What stops when a rule is taken away. */
function knocksOf(rule: BoundaryRule, profile: ProfileName): string[] {
  const transferPort = profile === "classic" ? "tcp40123" : "tcp4402";
  const names: Readonly<Record<string, readonly string[]>> = {
    "boot.dhcp/to-server": ["dhcp"],
    "boot.dhcp-reply/to-segment": ["dhcp"],
    "boot.server/to-server": ["bootServer"],
    "boot.tftp/to-server": ["tftp", "tftpData"],
    "boot.tftp-data/to-segment": ["tftpData"],
    "boot.http/to-server": ["tcp8069"],
    "agent.discovery/to-server": ["discovery"],
    "agent.discovery-reply/to-segment": ["discovery"],
    "agent.control/to-server": ["tcp402"],
    "transfer.data/to-server": [transferPort],
    "imaging.data/to-segment": ["imaging"],
  };
  const found = names[rule.id];
  assert.ok(found, `the test does not know what rule ${rule.id} is for`);
  // Single-port TFTP has no data from other ports.
  return found.filter((name) => profile === "classic" || name !== "tftpData");
}

/** The router's own policy: nothing passes but what the exported rules have marked. */
const sitePolicy = `
table inet site {
  chain forward {
    type filter hook forward priority filter; policy drop;
    meta mark and 0x40200000 == 0x40200000 accept
  }
}
`;

const obstacle = networkTestObstacle("ip", "nft", "iptables", "smcrouted");

describe("exported rules on a real router", { skip: obstacle ?? false }, () => {
  for (const profile of ["classic", "firewall"] as const) {
    test(`nftables, ${profile}: everything planned passes a router that drops, nothing else does, and each rule counts`, async (t) => {
      const boundary = new Boundary(t, profile);
      await boundary.start();
      const always = profile === "classic" ? closedNames : [...closedNames, "tftpData"];
      boundary.nft("-f", boundary.write("site", sitePolicy));
      assert.deepEqual(
        blocked(boundary.knock()).length,
        13 - 1,
        "a router that drops lets something through",
      );
      boundary.nft("-f", boundary.export("nftables"));
      assert.deepEqual(blocked(boundary.knock()), always.toSorted());
      for (const rule of boundary.rules) {
        const list = boundary.nft("-a", "list", "chain", "inet", "portolan_far", "rules");
        const handle = list
          .split("\n")
          .find((line) => line.includes(`"${rule.id}:`))
          ?.split("# handle ")[1];
        assert.ok(handle, `no line for ${rule.id}`);
        boundary.nft("delete", "rule", "inet", "portolan_far", "rules", "handle", handle.trim());
        const expected = [...always, ...knocksOf(rule, profile)].toSorted();
        assert.deepEqual(blocked(boundary.knock()), expected, `without ${rule.id}`);
        boundary.nft("-f", boundary.export("nftables"));
      }
    });
  }

  test("nftables: alone on a router that lets everything pass it still closes the rest of this pair", async (t) => {
    const boundary = new Boundary(t, "firewall");
    await boundary.start();
    assert.deepEqual(blocked(boundary.knock()), []);
    boundary.nft("-f", boundary.export("nftables"));
    assert.deepEqual(blocked(boundary.knock()), [...closedNames, "tftpData"].toSorted());
  });

  test(
    "FRRouting: multicast crosses the router once pimd runs with the exported lines, and not before",
    {
      skip: existsSync("/usr/lib/frr/pimd") ? false : "needs frr",
    },
    async (t) => {
      const boundary = new Boundary(t, "firewall");
      await boundary.start("none");
      const before = boundary.knock();
      assert.deepEqual([before["discovery"], before["imaging"], before["tcp402"]], [false, false, true]);
      await boundary.startFrr();
      // PIM elects and learns before it forwards; the first datagrams of a group go through its register tunnel.
      const deadlineMs = performance.now() + 180_000;
      let now = boundary.knock();
      while ((now["discovery"] !== true || now["imaging"] !== true) && performance.now() < deadlineMs) {
        now = boundary.knock();
      }
      assert.deepEqual([now["discovery"], now["imaging"]], [true, true]);
    },
  );

  test("nftables: loading twice is loading once, and the rollback leaves nothing", (t) => {
    const boundary = new Boundary(t, "classic");
    boundary.nft("-c", "-f", boundary.export("nftables"));
    boundary.nft("-f", boundary.export("nftables"));
    const once = boundary.nft("list", "ruleset");
    assert.match(once, /chain rules/);
    boundary.nft("-f", boundary.export("nftables"));
    assert.equal(boundary.nft("list", "ruleset"), once);
    boundary.nft("-f", boundary.exportRollback("nftables"));
    boundary.nft("-f", boundary.exportRollback("nftables"));
    assert.equal(boundary.nft("list", "ruleset"), "");
  });

  test("iptables: a router that drops lets the plan through and nothing else; twice is once; the rollback leaves what was there", async (t) => {
    const boundary = new Boundary(t, "firewall");
    const save = (): string =>
      boundary.hosts
        .run("router", "iptables-save", [])
        .split("\n")
        .filter((line) => !line.startsWith("#"))
        .map((line) => line.replace(/\[\d+:\d+\]/, ""))
        .join("\n");
    await boundary.start();
    boundary.hosts.run("router", "iptables", ["-P", "FORWARD", "DROP"]);
    boundary.hosts.run("router", "iptables", ["-A", "FORWARD", "-p", "esp", "-j", "ACCEPT"]);
    const before = save();
    boundary.hosts.run("router", "sh", [boundary.export("iptables")]);
    const once = save();
    assert.deepEqual(blocked(boundary.knock()), [...closedNames, "tftpData"].toSorted());
    boundary.hosts.run("router", "sh", [boundary.export("iptables")]);
    assert.equal(save(), once);
    boundary.hosts.run("router", "sh", [boundary.exportRollback("iptables")]);
    boundary.hosts.run("router", "sh", [boundary.exportRollback("iptables")]);
    assert.equal(save(), before);
  });
});
