import { existsSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./isolation.ts";
import type { SegmentNetwork } from "./segment-network.ts";

export type RouterPort = {
  readonly interfaceName: string;
  readonly segment: string;
  /** With prefix: `192.168.10.254/24`. */
  readonly address: string;
};

/** A router between segments: it forwards unicast and, like most, no multicast. */
export async function addRouter(
  network: SegmentNetwork,
  host: string,
  ports: readonly RouterPort[],
): Promise<void> {
  for (const { interfaceName, segment, address } of ports) {
    await network.connect(host, interfaceName, segment, address);
  }
  // Multicast routes of the lab's hosts are for senders; a router that is none must not have them.
  await network.run(host, "ip", ["route", "del", "224.0.0.0/4"]).catch(() => "");
  await network.run(host, "sh", ["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]);
}

/** ISC's relay agent: DHCP broadcasts of `downstream` go to every server named. */
export function startRelay(
  network: SegmentNetwork,
  given: {
    readonly host: string;
    readonly downstream: string;
    readonly upstream: string;
    readonly servers: readonly string[];
    readonly folder: string;
  },
): void {
  if (!existsSync("/usr/sbin/dhcrelay")) {
    throw new LabError("the relay agent is missing; install: apt-get install isc-dhcp-relay");
  }
  network.spawnOn(
    given.host,
    "dhcrelay",
    [
      ...["-4", "-d", "--no-pid", "-a", "-m", "forward"],
      ...["-id", given.downstream, "-iu", given.upstream, ...given.servers],
    ],
    join(given.folder, `${given.host}-relay.log`),
  );
}

/** The site's DHCP server for segments behind relays: addresses and a router for each, nothing about booting. */
export function startCentralDhcp(
  network: SegmentNetwork,
  given: {
    readonly host: string;
    readonly interfaceName: string;
    readonly ranges: readonly {
      readonly name: string;
      readonly first: string;
      readonly last: string;
      readonly netmask: string;
      readonly router: string;
    }[];
    readonly folder: string;
  },
): void {
  const ranges = given.ranges.flatMap(({ name, first, last, netmask, router }) => [
    `--dhcp-range=set:${name},${first},${last},${netmask},1h`,
    `--dhcp-option=tag:${name},option:router,${router}`,
  ]);
  network.spawnOn(
    given.host,
    "dnsmasq",
    [
      ...["--keep-in-foreground", "--port=0", "--no-resolv", "--no-hosts", "--conf-file=/dev/null"],
      "--pid-file=",
      ...["--user=root", `--interface=${given.interfaceName}`, "--bind-interfaces", ...ranges],
      ...[`--dhcp-leasefile=${join(given.folder, `${given.host}.leases`)}`, "--log-dhcp", "--log-facility=-"],
    ],
    join(given.folder, `${given.host}.log`),
  );
}
