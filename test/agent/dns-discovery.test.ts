import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { approve, createRoom, startAgent, startServer } from "./agent-site.ts";

const skip = networkTestObstacle("ip", "dnsmasq") ?? false;

test(
  "agent: finds its server in DNS when nobody answers by multicast",
  { skip, timeout: 120_000 },
  async (t) => {
    const site = createRoom(t);
    const { hosts } = site;
    // ip-netns(8) puts this file in the place of the host's.
    const etc = join("/etc/netns", hosts.namespace("one"));
    mkdirSync(etc, { recursive: true });
    t.after(() => rmSync(etc, { recursive: true }));
    writeFileSync(join(etc, "resolv.conf"), "search nowhere.test room.test\nnameserver 10.9.0.1\n");
    const dns = hosts.start("server", "dnsmasq", [
      ...[
        "--keep-in-foreground",
        "--log-facility=-",
        "--log-queries",
        "--no-resolv",
        "--no-hosts",
        "--conf-file=/dev/null",
      ],
      ...["--listen-address=10.9.0.1", "--bind-interfaces", "--user=root", "--pid-file="],
      ...["--local=/nowhere.test/", "--address=/ds1.room.test/10.9.0.1"],
      "--srv-host=_portolan._tcp.room.test,ds1.room.test,402,10",
      // A worse one, that nobody may take.
      "--srv-host=_portolan._tcp.room.test,ds2.room.test,402,20",
    ]);
    const server = await startServer(site);
    await dns.waitFor("started", 30_000);
    approve(site, server);
    // Nobody listens on this port of the group.
    const agent = startAgent(site, "one", { discoveryPort: 4409 });
    await agent.waitFor("nobody answered by multicast; DNS names 10.9.0.1, TCP port 402", 60_000);
    await agent.waitFor("connected as", 60_000);
    await server.waitFor('"event":"connected"');
    await dns.waitFor("query[SRV] _portolan._tcp.nowhere.test");
  },
);
