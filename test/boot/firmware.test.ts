import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { BootEvent } from "#engine/boot/boot-event.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { type BootSite, computer, makeDataDir, startBootServer, until } from "./boot-site.ts";

const mac = "52:54:00:00:00:03";
const uuid = "4c4c4544-0031-3510-8048-b7c04f333032";
const busy = computer("busy", mac, { work: "preboot", uuid: uuid as never });
/** A virtual computer takes 6 to 20 s to its kernel where nothing else runs. */
const bootLimitMs = 180_000;
const ovmf = "/usr/share/OVMF";
const loaders: Readonly<Record<string, string>> = {
  "undionly.kpxe": "/usr/lib/ipxe/undionly.kpxe",
  "snponly.efi": "/usr/lib/ipxe/snponly.efi",
  "shimx64.efi": "/usr/lib/shim/shimx64.efi.signed",
  "grubx64.efi": "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
};

/** dhcp (dnsmasq) ── room ── server; the virtual computer's tap is a port of the same bridge. */
async function startRoom(t: TestContext, dnsmasqOptions: readonly string[] = []): Promise<BootSite | null> {
  const room = makeRoom(t);
  if (room === null) {
    return null;
  }
  const { hosts, dataDir } = room;
  const dnsmasq = hosts.start("dhcp", "dnsmasq", [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--port=0",
    "--interface=eth0",
    "--bind-dynamic",
    "--no-ping",
    "--user=root",
    "--log-facility=-",
    `--dhcp-leasefile=${join(dataDir, "leases")}`,
    `--pid-file=${join(dataDir, "pid")}`,
    "--dhcp-range=10.9.0.100,10.9.0.200,1h",
    ...dnsmasqOptions,
  ]);
  await dnsmasq.waitFor("DHCP, IP range");
  return startBootServer(hosts, { interfaces: ["eth0"], dataDir, computers: [busy] });
}

/** The same room with nobody in it but us. */
async function startClosedRoom(t: TestContext): Promise<BootSite | null> {
  const room = makeRoom(t);
  const settings = {
    "boot.mode": "dhcp",
    "boot.dhcpRanges": [{ from: Ipv4Address.parse("10.9.0.100"), to: Ipv4Address.parse("10.9.0.101") }],
  } as const;
  const { hosts, dataDir } = room ?? {};
  return hosts === undefined || dataDir === undefined
    ? null
    : startBootServer(hosts, { interfaces: ["eth0"], dataDir, computers: [busy], settings });
}

function makeRoom(t: TestContext): { readonly hosts: NetworkHosts; readonly dataDir: string } | null {
  const files = [...Object.values(loaders), `${ovmf}/OVMF_CODE_4M.fd`, `${ovmf}/OVMF_CODE_4M.secboot.fd`];
  const missing = files.filter((path) => !existsSync(path));
  const obstacle =
    networkTestObstacle("ip", "dnsmasq", "qemu-system-x86_64") ??
    (missing.length === 0 ? null : `needs ${missing.join(", ")}`);
  if (obstacle !== null) {
    t.skip(obstacle);
    return null;
  }
  const hosts = new NetworkHosts(t);
  hosts.segment("room", [
    { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
    { host: "dhcp", interfaceName: "eth0", address: "10.9.0.254/24" },
  ]);
  hosts.run("switch", "ip", ["tuntap", "add", "dev", "tap0", "mode", "tap"]);
  hosts.run("switch", "ip", ["link", "set", "tap0", "master", "room", "up"]);
  const dataDir = makeDataDir(t);
  useRealLoaders(join(dataDir, "boot"));
  return { hosts, dataDir };
}

function useRealLoaders(folder: string): void {
  const path = join(folder, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as { files: { name: string }[] };
  const files = manifest.files.map((entry) => {
    const source = loaders[entry.name];
    if (source === undefined) {
      return entry;
    }
    copyFileSync(source, join(folder, entry.name));
    const sha256 = createHash("sha256").update(readFileSync(source)).digest("hex");
    return { name: entry.name, sizeBytes: statSync(source).size, sha256 };
  });
  writeFileSync(path, JSON.stringify({ files }));
}

function startComputer(
  t: TestContext,
  site: BootSite,
  firmware: "bios" | "uefi" | "secure-boot",
): HostProcess {
  const folder = mkdtempSync(join(tmpdir(), "portolan-vm-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const variables = join(folder, "vars.fd");
  const isSecure = firmware === "secure-boot";
  if (firmware !== "bios") {
    copyFileSync(`${ovmf}/OVMF_VARS_4M${isSecure ? ".ms" : ""}.fd`, variables);
  }
  const code = `${ovmf}/OVMF_CODE_4M${isSecure ? ".secboot" : ""}.fd`;
  const flash = [
    "-drive",
    `if=pflash,format=raw,unit=0,readonly=on,file=${code}`,
    "-drive",
    `if=pflash,format=raw,unit=1,file=${variables}`,
  ];
  return site.hosts.start("switch", "qemu-system-x86_64", [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio", "-m", "512"],
    ...["-accel", "tcg,thread=multi,tb-size=256", "-cpu", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand"],
    ...["-M", isSecure ? "q35,smm=on" : "q35", "-smbios", `type=1,uuid=${uuid},serial=SN1`],
    ...(isSecure ? ["-global", "driver=cfi.pflash01,property=secure,value=on"] : []),
    ...(firmware === "bios" ? [] : flash),
    ...["-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no"],
    // Without the option ROM UEFI firmware boots by its own PXE client; BIOS has none and needs it.
    ...[
      "-device",
      `virtio-net-pci,netdev=n0,mac=${mac},bootindex=1${firmware === "bios" ? "" : ",romfile="}`,
    ],
  ]);
}

/** Waits for an event, and returns all events of the computer so far. */
async function eventsUntil(
  site: BootSite,
  isLast: (event: BootEvent) => boolean,
  timeoutMs: number,
): Promise<readonly BootEvent[]> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const events = site.events().filter((event) => event.mac === mac);
    if (events.some(isLast)) {
      return events;
    }
    if (performance.now() > endMs) {
      const seen = site
        .events()
        .map((event) => `${event.stage} ${event.outcome} ${event.reason} ${event.firmware} ${event.file}`);
      throw new Error(`not in ${timeoutMs} ms, but:\n${seen.join("\n")}`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
  }
}

function isDone(stage: BootEvent["stage"]): (event: BootEvent) => boolean {
  return (event) => event.stage === stage && event.outcome === "done";
}

function offered(events: readonly BootEvent[]): string[] {
  return events.filter(({ stage }) => stage === "offer").map(({ firmware, file }) => `${firmware} ${file}`);
}

const scriptUrl = `http://10.9.0.1:8069/boot/script.ipxe?mac=${mac}&uuid=${uuid}`;

test("firmware: SeaBIOS with iPXE in its network card reads script and kernel", async (t) => {
  const site = await startRoom(t);
  if (site !== null) {
    startComputer(t, site, "bios");
    const events = await eventsUntil(site, isDone("kernel"), bootLimitMs);
    assert.deepEqual([...new Set(offered(events))], [`ipxe ${scriptUrl}`]);
    assert.equal(events.find(({ stage }) => stage === "script")?.computerId, "busy");
  }
});

test("firmware: OVMF reads iPXE by its own PXE client without port 4011, then script and kernel", async (t) => {
  const site = await startRoom(t);
  if (site !== null) {
    startComputer(t, site, "uefi");
    const events = await eventsUntil(site, isDone("kernel"), bootLimitMs);
    assert.deepEqual([...new Set(offered(events))], ["uefi-x64-pxe snponly.efi", `ipxe ${scriptUrl}`]);
    assert.ok(events.some(({ stage, file }) => stage === "loader" && file === "snponly.efi"));
    assert.ok(!events.some(({ stage }) => stage === "boot-server"));
  }
});

for (const firmware of ["bios", "uefi"] as const) {
  test(`firmware: ${firmware} in a closed room gets address and boot program from us alone`, async (t) => {
    const site = await startClosedRoom(t);
    if (site !== null) {
      startComputer(t, site, firmware);
      const events = await eventsUntil(site, isDone("kernel"), bootLimitMs);
      assert.equal(events.find(({ stage }) => stage === "kernel")?.peerAddress, "10.9.0.100");
      await until(() => "lease-ack" in site.counters());
      assert.ok((site.counters()["lease-ack"] ?? 0) >= 1, JSON.stringify(site.counters()));
    }
  });
}

test("firmware: OVMF with Secure Boot refuses iPXE, and gets shim, GRUB and the kernel at its next start", async (t) => {
  // GRUB takes its server from the DHCP server's next-server field and cannot see our offer.
  const site = await startRoom(t, ["--dhcp-boot=none,,10.9.0.1"]);
  if (site === null) {
    return;
  }
  const first = startComputer(t, site, "secure-boot");
  const refused = await eventsUntil(site, isDone("loader"), bootLimitMs);
  await first.waitFor("BdsDxe: loading", bootLimitMs);
  assert.deepEqual([...new Set(offered(refused))], ["uefi-x64-pxe snponly.efi"]);
  first.child.kill("SIGKILL");
  await new Promise((resolve) => {
    first.child.once("exit", resolve);
  });
  startComputer(t, site, "secure-boot");
  const events = await eventsUntil(site, isDone("kernel"), bootLimitMs);
  assert.equal(offered(events).at(-1), "uefi-x64-pxe shimx64.efi");
  assert.ok(events.some(({ stage, file }) => stage === "script" && file === "grub.cfg"));
});
