import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findRecord, untilRecord } from "../computer-story.ts";
import { rootFileSystemOf } from "../debian-disk.ts";
import { writeDiskFiles } from "../disk-files.ts";
import { MagicPacketListener } from "../magic-packet-listener.ts";
import { addRouter, startCentralDhcp } from "../router.ts";
import { runProgram } from "../run-program.ts";
import { hashFile, type LabSite, sleep, until } from "../site.ts";
import { SshAccess } from "../ssh-access.ts";
import { useTerminal } from "../terminal.ts";
import type { VirtualComputer } from "../virtual-computer.ts";

const server = "192.168.10.1";
const fileBytes = 12 << 20;
const wakeLimitMs = 2000;

/** Where each computer stands, whose DHCP server it asks, and how its agent finds the server. */
const places = [
  { name: "pc1", segment: "near", dhcp: "dhcp", settings: 'server = ""\ndiscoveryTtl = 4' },
  { name: "pc2", segment: "far", dhcp: "router", settings: "discovery = false" },
  { name: "pc3", segment: "far", dhcp: "router", settings: "discoveryPort = 4402\ndiscoveryTtl = 8" },
] as const;

type Run = { readonly id: string; readonly computerId: string; readonly state: string };
type Step = {
  readonly state: string;
  readonly taskIndex: number;
  readonly exitCode: number | null;
  readonly reason: string | null;
};

/**
 *   pc2 (by address)    pc3 (by address, sleeps; woken by pc2)
 *      │                   │
 *   ───┴────────┬──────────┴──── far, 192.168.20.0/24
 *               │ .254
 *       router with DHCP for far; no multicast, no directed broadcast
 *               │ .254
 *   ───┬────────┴──────────┬─────────────┬──── near, 192.168.10.0/24
 *      │                   │             │
 *   server .1        site's dnsmasq .2   pc1 (by multicast)
 *
 * Three plain Debian computers get the agent over ssh, each with transport settings of its own; they do one job with a task
 * that fails and jumps; an operator works in a terminal of one, on a port of its own and inside the control port.
 */
export async function managedComputers(site: LabSite): Promise<void> {
  const { steps } = site;
  await connect(site);
  await steps.do("starting the server", () => site.startServer(["eth0"]));
  const access = await SshAccess.create(site.folder);
  const computers = await steps.do("three plain Debian computers start", () => startPlain(site, access));
  await steps.do("portolan computer install puts the agent on them over ssh", () => install(site, access));
  await steps.do("each has found the server in its own way", () => compareSettings(site, access, computers));
  await steps.do("pc3 is switched off by a job", () => switchOff(site, computers));
  await steps.do("all three do the job, pc3 woken by its neighbour", () => doTheJob(site, computers));
  await steps.do("a terminal on a port of its own", () => terminalOnOwnPort(site, computers));
  await steps.do("a terminal inside the control port", () => terminalInControlPort(site, computers));
}

async function connect({ network, folder }: LabSite): Promise<void> {
  await network.addSegment("near");
  await network.addSegment("far");
  await network.connect("server", "eth0", "near", `${server}/24`);
  await network.connect("dhcp", "eth0", "near", "192.168.10.2/24");
  await addRouter(network, "router", [
    { interfaceName: "eth0", segment: "near", address: "192.168.10.254/24" },
    { interfaceName: "eth1", segment: "far", address: "192.168.20.254/24" },
  ]);
  await network.run("server", "ip", ["route", "add", "192.168.20.0/24", "via", "192.168.10.254"]);
  for (const [host, interfaceName, name, prefix] of [
    ["dhcp", "eth0", "near", "192.168.10"],
    ["router", "eth1", "far", "192.168.20"],
  ] as const) {
    const range = { name, first: `${prefix}.100`, last: `${prefix}.150`, netmask: "255.255.255.0" };
    startCentralDhcp(network, {
      ...{ host, interfaceName, folder },
      ranges: [{ ...range, router: `${prefix}.254` }],
    });
  }
}

/** Debian as anybody may have installed it: no agent, a host name, and an ssh server that lets the operator in. */
async function startPlain(site: LabSite, access: SshAccess): Promise<VirtualComputer[]> {
  const { diskPath } = await site.installSoftware();
  const computers: VirtualComputer[] = [];
  for (const { name, segment } of places) {
    const computer = await site.addComputer({
      ...{ name, segment, firmware: "bios", bootsFirst: "disk", restarts: "by-itself", memoryMib: 640 },
    });
    await runProgram("cp", ["--sparse=always", diskPath, computer.diskPath]);
    await writeDiskFiles(rootFileSystemOf(computer.diskPath), [
      { path: "/etc/hostname", content: `${name}\n`, mode: "0644" },
      ...(await access.filesFor(name)),
    ]);
    computers.push(computer);
    computer.powerOn();
  }
  for (const [index, { name, dhcp }] of places.entries()) {
    const mac = computers[index]?.plan.mac ?? "";
    const address = await until(`a lease for ${name}`, 300_000, async () => {
      const leases = await readFile(join(site.folder, `${dhcp}.leases`), "utf8").catch(() => "");
      const lease = leases.split("\n").find((line) => line.includes(mac));
      return lease?.split(" ")[2] ?? null;
    });
    await access.addAddress(name, address);
    await until(`ssh to ${name}`, 300_000, () =>
      site.network
        .run("server", "ssh", ["-F", access.configPath, "-o", "BatchMode=yes", `root@${name}`, "true"])
        .catch(() => null),
    );
    site.steps.say(`  ${name} is at ${address} on ${places[index]?.segment} and lets ssh in`);
  }
  return computers;
}

async function install(site: LabSite, access: SshAccess): Promise<void> {
  const settingsPath = join(site.folder, "hosts.toml");
  await writeFile(settingsPath, places.map(({ name, settings }) => `[${name}]\n${settings}\n`).join(""));
  const names = places.map(({ name }) => name);
  const flags = ["--user", "root", "--settings", settingsPath, "--ssh-config", access.configPath];
  if ((await site.portolanShown("computer", "install", ...names, ...flags)) !== 0) {
    throw new Error("the agent did not come to all three");
  }
}

/** What the agents say on their computers is what was asked for, and all are connected from their systems. */
async function compareSettings(
  site: LabSite,
  access: SshAccess,
  computers: readonly VirtualComputer[],
): Promise<void> {
  const wanted = [
    ["server: by multicast", "TTL 4"],
    [`server: at ${server}, TCP port 402`],
    [`server: at ${server}, TCP port 402`, "UDP port 4402, TTL 8"],
  ];
  for (const [index, computer] of computers.entries()) {
    const { name } = computer.plan;
    await untilRecord(site, computer, "is connected", ({ environment }) => environment === "os", 120_000);
    const command = [`root@${name}`, "/opt/portolan/portolan-agent status"];
    const text = await site.network.run("server", "ssh", ["-F", access.configPath, ...command]);
    const missing = (wanted[index] ?? []).find((part) => !text.includes(part));
    if (missing !== undefined || (name === "pc2" && text.includes("discovery:"))) {
      throw new Error(`the agent of ${name} does not say "${missing ?? "no discovery"}":\n${text}`);
    }
    site.steps.say(`  ${name}: ${text.split("\n").slice(0, 2).join("; ")}`);
  }
}

async function idOf(site: LabSite, computer: VirtualComputer | undefined): Promise<string> {
  const record = computer === undefined ? null : await findRecord(site, computer);
  if (record === null) {
    throw new Error(`the server does not know ${computer?.plan.name}`);
  }
  return record.id;
}

async function startJob(site: LabSite, job: object): Promise<string> {
  const path = join(site.folder, "job.json");
  await writeFile(path, JSON.stringify(job));
  const { id } = await site.portolan<{ id: string }>("job", "create", path);
  return id;
}

async function switchOff(site: LabSite, computers: readonly VirtualComputer[]): Promise<void> {
  const [, , pc3] = computers;
  const off = pc3?.waitOff(180_000);
  const job = await startJob(site, {
    ...{ name: "off", tasks: [{ kind: "power-off" }], computers: [await idOf(site, pc3)] },
  });
  await off;
  if (pc3 === undefined || (await site.portolanShown("job", "watch", job)) !== 0) {
    throw new Error("the job did not switch pc3 off");
  }
  await untilRecord(site, pc3, "is gone", ({ environment }) => environment === null, 180_000);
}

/** A package with one file that says whose it is. */
async function addPackage(site: LabSite): Promise<void> {
  const folder = join(site.folder, "lab-note");
  await mkdir(join(folder, "DEBIAN"), { recursive: true });
  await mkdir(join(folder, "usr/share/lab-note"), { recursive: true });
  await writeFile(join(folder, "usr/share/lab-note/note"), "installed by a job\n");
  const fields = [
    "Package: lab-note",
    "Version: 1.2",
    "Architecture: all",
    "Maintainer: Lab <lab@example.org>",
  ];
  await writeFile(join(folder, "DEBIAN/control"), `${fields.join("\n")}\nDescription: note of the lab\n`);
  const path = join(site.folder, "lab-note_1.2_all.deb");
  await runProgram("dpkg-deb", ["--root-owner-group", "--build", folder, path]);
  await site.portolan("package", "add", path);
}

const tasksOf = (source: string, hash: string): readonly object[] => [
  { kind: "wake" },
  { kind: "inventory" },
  { kind: "install-package", package: "lab-note" },
  {
    ...{ name: "prepare", kind: "run-script", timeoutMs: 120_000 },
    script: "cat /proc/sys/kernel/random/boot_id > /var/tmp/boot-id; test -e /var/tmp/prepared || exit 7",
    codes: { "0": "jump copy", "7": "jump repair" },
  },
  { name: "never", kind: "run-script", script: "touch /var/tmp/never; exit 1" },
  {
    ...{ name: "repair", kind: "run-script", timeoutMs: 120_000 },
    ...{ script: "touch /var/tmp/prepared", codes: { "0": "jump prepare" } },
  },
  { name: "copy", kind: "copy-file", source, destination: "/var/tmp/handed-out.bin", mode: "0600" },
  { kind: "restart" },
  {
    ...{ name: "check", kind: "run-script", timeoutMs: 120_000 },
    script: [
      "set -e",
      "grep -q 'installed by a job' /usr/share/lab-note/note",
      "dpkg -s lab-note | grep -q '^Status: install ok installed'",
      `echo "${hash}  /var/tmp/handed-out.bin" | sha256sum --check`,
      "test -e /var/tmp/prepared",
      "test ! -e /var/tmp/never",
      "! cmp -s /var/tmp/boot-id /proc/sys/kernel/random/boot_id",
    ].join("\n"),
  },
];

async function doTheJob(site: LabSite, computers: readonly VirtualComputer[]): Promise<void> {
  await addPackage(site);
  const source = join(site.folder, "handed-out.bin");
  await writeFile(source, randomBytes(fileBytes));
  const forwarding = await site.network.run("router", "cat", ["/proc/sys/net/ipv4/conf/all/bc_forwarding"]);
  if (forwarding.trim() !== "0") {
    throw new Error("the router passes directed broadcasts: the wake would prove nothing");
  }
  let wokenAt = 0;
  const listener = new MagicPacketListener("far", site.computers, () => (wokenAt = Date.now()));
  try {
    await sleep(2000);
    const tasks = tasksOf(source, await hashFile(source, fileBytes));
    const ids = await Promise.all(computers.map((computer) => idOf(site, computer)));
    const job = await startJob(site, { name: "managed", tasks, computers: ids });
    if ((await site.portolanShown("job", "watch", job)) !== 0) {
      throw new Error("the job did not end well on all three");
    }
    await compareSteps(site, job);
    await compareWake(site, ids[2] ?? "", wokenAt);
  } finally {
    listener.stop();
  }
}

/** The store says of each computer: the script failed with 7, what it jumped over did not begin. */
async function compareSteps(site: LabSite, job: string): Promise<void> {
  const { runs } = await site.portolan<{ runs: readonly Run[] }>("job", "show", job);
  const [prepare, never, repair] = [3, 4, 5];
  for (const run of runs) {
    const { steps } = await site.portolan<{ steps: readonly Step[] }>("job", "run", run.id);
    const path = steps
      .map(({ taskIndex }) => taskIndex)
      .filter((task, index, all) => task !== all[index - 1])
      .map((task) => task + 1);
    const hasFailed = steps.some(({ exitCode }) => exitCode === 7);
    const indices = steps.map(({ taskIndex }) => taskIndex);
    const hasJumped = !indices.includes(never) && indices.lastIndexOf(prepare) > indices.indexOf(repair);
    if (run.state !== "done" || !hasFailed || !hasJumped) {
      throw new Error(`run ${run.id} did not fail with 7 and jump: ${JSON.stringify(steps)}`);
    }
    site.steps.say(`  ${run.computerId}: tasks ${path.join(" → ")}, 7 jumped to the repair`);
  }
}

async function compareWake(site: LabSite, id: string, wokenAt: number): Promise<void> {
  type Event = { readonly at: number; readonly kind: string; readonly detail: string };
  const history = await site.portolan<Event[]>("computer", "history", id);
  // Where starting takes a minute it is ordered again: the order that counts is the last one before the packet.
  const orders = history.filter(
    ({ kind, detail, at }) => kind === "wake" && detail.startsWith("ordered") && at <= wokenAt,
  );
  const order = orders.toSorted((a, b) => b.at - a.at)[0];
  if (order?.detail !== "ordered; by the server and 1 peers (known-segment)") {
    throw new Error(`pc3 was not woken through its neighbour: ${JSON.stringify(history)}`);
  }
  const afterMs = wokenAt - order.at;
  if (wokenAt === 0 || afterMs > wakeLimitMs) {
    throw new Error(`the magic packet came ${afterMs} ms after the order, not within ${wakeLimitMs} ms`);
  }
  site.steps.say(`  pc3 was switched on by its neighbour's magic packet ${afterMs} ms after the order`);
}

type Plan = { readonly flows: readonly { id: string; sockets: readonly { port: number }[] }[] };

async function remotePorts(site: LabSite): Promise<number[]> {
  const { flows } = await site.portolan<Plan>("plan", "show");
  return flows.find(({ id }) => id === "remote.control")?.sockets.map(({ port }) => port) ?? [];
}

/** @returns the port of the session, and what the plan had open for remote control meanwhile */
async function workIn(site: LabSite, computer: VirtualComputer | undefined) {
  let shown: number[] = [];
  const port = await useTerminal({
    ...{ dataDir: site.dataDir, computerId: await idOf(site, computer) },
    lines: [
      { text: "echo $((6*7))", answer: "42" },
      { text: "uname -n; tty", answer: "/dev/pts/" },
    ],
    whileOpen: async () => {
      shown = await remotePorts(site);
    },
  });
  return { port, shown };
}

async function terminalOnOwnPort(site: LabSite, [, pc2]: readonly VirtualComputer[]): Promise<void> {
  const { port, shown } = await workIn(site, pc2);
  if (port === 402 || shown.length !== 1 || shown[0] !== port) {
    throw new Error(`the session says port ${port}, the plan ${shown.join(", ") || "none"}`);
  }
  await until("the port's end in the plan", 60_000, async () =>
    (await remotePorts(site)).length === 0 ? true : null,
  );
  site.steps.say(`  pc2 on TCP ${port}, in the plan while it was open, and no longer`);
}

async function terminalInControlPort(site: LabSite, computers: readonly VirtualComputer[]): Promise<void> {
  await site.portolan("settings", "set", "remote.port", "402");
  await site.killAndRestartServer();
  for (const computer of computers) {
    await untilRecord(site, computer, "is back", ({ environment }) => environment === "os", 120_000);
  }
  const { port, shown } = await workIn(site, computers[2]);
  if (port !== 402 || shown.length > 0) {
    throw new Error(`the session says port ${port}, the plan ${shown.join(", ") || "none"}`);
  }
  site.steps.say("  pc3 inside TCP 402, with no other port open");
}
