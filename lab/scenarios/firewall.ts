import { randomBytes } from "node:crypto";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { approve, bootToApproval, findRecord, untilRecord } from "../computer-story.ts";
import { addRouter, startCentralDhcp, startRelay } from "../router.ts";
import { hashFile, type LabSite } from "../site.ts";
import type { VirtualComputer } from "../virtual-computer.ts";

const server = "192.168.10.1";
const siteDhcp = "192.168.10.2";
const relay = "192.168.20.254";

/**
 * The site's own rules: nothing enters, leaves or crosses the router but what Portolan's rules have marked, and the
 * site's DHCP, which is not Portolan's matter.
 */
const sitePolicy = `
table inet site {
  chain planned {
    meta mark and 0x40200000 == 0x40200000 accept
    udp dport 67 ip daddr ${siteDhcp} accept
    udp sport 67 ip saddr ${siteDhcp} accept
  }
  chain forward { type filter hook forward priority filter; policy drop; jump planned; }
  chain input { type filter hook input priority filter; policy drop; jump planned; }
  chain output { type filter hook output priority filter; policy drop; jump planned; }
}
`;

/**
 *   pc1, pc2 (BIOS)     probe .9
 *      │                   │
 *   ───┴────────┬──────────┴──── far, 192.168.20.0/24
 *               │ .254
 *       router that drops, ISC's relay, smcroute
 *               │ .254
 *   ───┬────────┴──────────┬──── near, 192.168.10.0/24
 *      │                   │
 *   server .1       site's dnsmasq .2
 *
 * With nothing but the exported rules and multicast routes: computers boot, are imaged by multicast, come back, get
 * a file and run a script; then again with multicast blocked, by unicast; and nothing else passes.
 */
export async function firewalledSegment(site: LabSite, profile: "classic" | "firewall"): Promise<void> {
  const { steps, folder } = site;
  const software = await site.installSoftware();
  await connect(site);
  const configPath = join(folder, "portolan.toml");
  await writeFile(configPath, `[server]\nname = "ds1"\nrelays = ["${relay}"]\n`);
  await steps.do(`starting the server, profile ${profile}`, async () => {
    await site.startServer(["eth0"], ["--config", configPath]);
    await site.portolan("settings", "profile", profile);
    await site.killAndRestartServer();
    await site.portolan("segment", "add", "far", "192.168.20.0/24", "--gateway", relay, "--relay", relay);
  });
  await steps.do("the router drops everything", () => expectClosed(site, [402, 8069, 8443, 5432, 22]));
  await steps.do("loading the exported rules and multicast routes", () => loadExports(site, "routed"));
  await steps.do("now what the plan names is open, and nothing else", async () => {
    await expectOpen(site, [402, 8069]);
    await expectClosed(site, [8443, 5432, 22]);
  });
  const sourcePath = await site.prepareSource(software, server);
  await steps.do("importing the disk as image debian", () =>
    site.portolan("image", "import", sourcePath, "debian"),
  );
  const computers = [
    await site.addComputer({ name: "pc1", firmware: "bios", segment: "far", memoryMib: 640 }),
    await site.addComputer({ name: "pc2", firmware: "bios", segment: "far", memoryMib: 640 }),
  ];
  await steps.do("two unknown computers boot through relay and firewall", async () => {
    await Promise.all(computers.map((computer) => bootToApproval(site, computer)));
    for (const computer of computers) {
      await approve(site, computer);
    }
  });
  await steps.do("imaging them, multicast routed", () => deployToBoth(site, computers, sourcePath));
  await expectTransport(site, "multicast");
  await steps.do("both get a file and run a script, under the agent", () => copyAndRun(site, computers));
  await reportCounters(site);

  await steps.do("multicast is blocked from here on", () => loadExports(site, "local"));
  await steps.do("imaging empty disks again, without multicast", async () => {
    for (const computer of computers) {
      await computer.powerOff();
      await computer.prepare();
    }
    // Without a word of farewell it takes the server a minute to miss one.
    for (const computer of computers) {
      await untilRecord(site, computer, "is gone", ({ environment }) => environment === null, 300_000);
    }
    await deployToBoth(site, computers, sourcePath, { areOff: true });
  });
  await expectTransport(site, "unicast");
  await steps.do("still nothing else passes", () => expectClosed(site, [8443, 5432, 22]));
}

async function connect({ network, folder }: LabSite): Promise<void> {
  await network.addSegment("near");
  await network.addSegment("far");
  await network.connect("server", "eth0", "near", `${server}/24`);
  await network.connect("dhcp", "eth0", "near", `${siteDhcp}/24`);
  await network.connect("probe", "eth0", "far", "192.168.20.9/24");
  await addRouter(network, "router", [
    { interfaceName: "eth0", segment: "near", address: "192.168.10.254/24" },
    { interfaceName: "eth1", segment: "far", address: `${relay}/24` },
  ]);
  for (const host of ["server", "dhcp"]) {
    await network.run(host, "ip", ["route", "add", "192.168.20.0/24", "via", "192.168.10.254"]);
  }
  await network.run("probe", "ip", ["route", "add", "default", "via", relay]);
  const policyPath = join(folder, "site-policy.nft");
  await writeFile(policyPath, sitePolicy);
  await network.run("router", "nft", ["-f", policyPath]);
  // What must stay closed has to be there: a port that nobody listens on proves nothing.
  const listen = `for (const port of [22, 5432]) require("node:net").createServer(() => {}).listen(port)`;
  network.spawnOn("server", process.execPath, ["-e", listen], join(folder, "listeners.log"));
  startCentralDhcp(network, {
    host: "dhcp",
    interfaceName: "eth0",
    ranges: [
      {
        ...{ name: "far", first: "192.168.20.100", last: "192.168.20.150" },
        ...{ netmask: "255.255.255.0", router: relay },
      },
    ],
    folder,
  });
  startRelay(network, {
    ...{ host: "router", downstream: "eth1", upstream: "eth0", servers: [server, siteDhcp] },
    folder,
  });
}

/** What the administrator of the router does with the files of `plan export`. */
async function loadExports(site: LabSite, multicast: "routed" | "local"): Promise<void> {
  const { network, folder } = site;
  const given = ["--segment", "far", "--multicast", multicast];
  const interfaces = ["--segment-interface", "eth1", "--server-interface", "eth0"];
  for (const format of ["nftables", "smcroute"]) {
    const { text } = await site.portolan<{ text: string }>("plan", "export", format, ...given, ...interfaces);
    await writeFile(join(folder, `${format}.exported`), text);
  }
  await network.run("router", "nft", ["-f", join(folder, "nftables.exported")]);
  const control = ["-u", join(folder, "smcroute.sock")];
  const routes = join(folder, "smcroute.exported");
  if (multicast === "routed") {
    network.spawnOn(
      "router",
      "smcrouted",
      ["-n", "-N", "-f", routes, ...control, "-P", join(folder, "smcroute.pid")],
      join(folder, "smcroute.log"),
    );
  } else {
    await network.run("router", "smcroutectl", [...control, "reload"]);
  }
}

async function isOpen({ network }: LabSite, port: number): Promise<boolean> {
  try {
    await network.run("probe", "timeout", ["3", "bash", "-c", `exec 3<>/dev/tcp/${server}/${port}`]);
    return true;
  } catch {
    return false;
  }
}

async function expectClosed(site: LabSite, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    if (await isOpen(site, port)) {
      throw new Error(`TCP ${port} of the server can be reached from the far segment`);
    }
  }
  site.steps.say(`  closed from the far segment: TCP ${ports.join(", ")}`);
}

async function expectOpen(site: LabSite, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    if (!(await isOpen(site, port))) {
      throw new Error(`TCP ${port} of the server cannot be reached from the far segment`);
    }
  }
  site.steps.say(`  open from the far segment: TCP ${ports.join(", ")}`);
}

async function deployToBoth(
  site: LabSite,
  computers: readonly VirtualComputer[],
  sourcePath: string,
  options: { readonly areOff?: boolean } = {},
): Promise<void> {
  const { size } = await stat(sourcePath);
  const wanted = await hashFile(sourcePath, size);
  const ids = await idsOf(site, computers);
  const deploying = site.portolanShown("deploy", "debian", ...ids);
  await Promise.all(
    computers.map(async (computer) => {
      if (options.areOff === true) {
        computer.powerOn();
      }
      await computer.waitOff(1_800_000);
      const found = await hashFile(computer.diskPath, size);
      if (found !== wanted) {
        throw new Error(`the disk of ${computer.plan.name} differs from the source: ${computer.diskPath}`);
      }
      site.steps.say(
        `  ${computer.plan.name} restarts; its disk equals the source (${wanted.slice(0, 12)}…)`,
      );
      computer.powerOn();
    }),
  );
  const code = await deploying;
  if (code !== 0) {
    throw new Error(`portolan deploy ended with ${code}`);
  }
  for (const computer of computers) {
    await untilRecord(site, computer, "is back", ({ environment }) => environment === "os", 300_000);
  }
}

async function idsOf(site: LabSite, computers: readonly VirtualComputer[]): Promise<string[]> {
  const ids: string[] = [];
  for (const computer of computers) {
    const record = await findRecord(site, computer);
    ids.push(record?.id ?? computer.plan.name);
  }
  return ids;
}

type Session = {
  readonly id: number;
  readonly group: string | null;
  readonly port: number | null;
  readonly joined: number;
  readonly sentBytes: number;
  readonly copyBytes: number;
  readonly receivers: readonly { readonly expectedCount: number; readonly lostCount: number }[];
  readonly movedToUnicast: readonly { readonly reason: string }[];
};

/** What must come by the group at least. A computer that is emulated on a busy machine loses some of it. */
const receivedShareMin = 0.8;

/**
 * The newest session says how the image went: by the group to every computer, or to none. One that loses more than the
 * others may still fetch its rest by unicast.
 */
async function expectTransport(site: LabSite, transport: "multicast" | "unicast"): Promise<void> {
  const sessions = await site.portolan<Session[]>("session", "list");
  const [session] = sessions.toSorted((left, right) => right.id - left.id);
  const moved = session?.movedToUnicast.length ?? 0;
  const received = (session?.receivers ?? []).filter(
    ({ expectedCount, lostCount }) => expectedCount - lostCount > receivedShareMin * expectedCount,
  ).length;
  const isAsWanted = transport === "multicast" ? received === 2 : received === 0 && moved === 2;
  if (session === undefined || !isAsWanted) {
    throw new Error(`the image did not go by ${transport}: ${JSON.stringify(session)}`);
  }
  site.steps.say(
    `  session ${session.id} on ${session.group}:${session.port}: ${session.joined} computers, ${received} had it by the group, ` +
      `${(session.sentBytes / 1e6).toFixed(1)} MB by multicast for a copy of ${(session.copyBytes / 1e6).toFixed(1)} MB, ` +
      `${moved} moved to unicast${moved === 0 ? "" : ` (${session.movedToUnicast[0]?.reason})`}`,
  );
}

/** A file of 8 MiB, and a script that fails unless it came as it was. */
async function copyAndRun(site: LabSite, computers: readonly VirtualComputer[]): Promise<void> {
  const path = join(site.folder, "copy.json");
  const source = join(site.folder, "handed-out.bin");
  await writeFile(source, randomBytes(8 << 20));
  const wanted = await hashFile(source, 8 << 20);
  const destination = "/var/tmp/handed-out.bin";
  const tasks = [
    { kind: "copy-file", source, destination, mode: "0600" },
    { kind: "run-script", script: `echo "${wanted}  ${destination}" | sha256sum --check`, timeoutMs: 60_000 },
  ];
  await writeFile(path, JSON.stringify({ name: "look", tasks, computers: await idsOf(site, computers) }));
  const job = await site.portolan<{ id: string }>("job", "create", path);
  if ((await site.portolanShown("job", "watch", job.id)) !== 0) {
    throw new Error("the file or the script did not come to both");
  }
}

/** How often each exported rule was used, as the router counted. */
async function reportCounters({ network, steps }: LabSite): Promise<void> {
  const text = await network.run("router", "nft", ["list", "chain", "inet", "portolan_far", "rules"]);
  const counts = [...text.matchAll(/counter packets (\d+) bytes \d+ goto allow comment "([^:]+):/g)].map(
    ([, packets, rule]) => ({ rule: rule ?? "", packets: Number(packets) }),
  );
  for (const { rule, packets } of counts) {
    steps.say(`  ${rule}: ${packets} packets`);
  }
  // Not TFTP: the ROM of these cards is iPXE, which is told to read everything by HTTP.
  const needed = [
    "boot.dhcp/to-server",
    "boot.http/to-server",
    "agent.control/to-server",
    "transfer.data/to-server",
  ];
  const unused = [...needed, "imaging.data/to-segment"].filter(
    (rule) => (counts.find((count) => count.rule === rule)?.packets ?? 0) === 0,
  );
  if (unused.length > 0) {
    throw new Error(`a whole deployment went by without ${unused.join(", ")}: it went some other way`);
  }
}
