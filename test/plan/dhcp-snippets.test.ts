import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { exporters, exportInputOf } from "#plan/export/exporters.ts";
import { farRequest } from "#tools/export-examples.ts";
import { findOption } from "#wire/dhcp4/dhcp-options.ts";
import { optionCodes } from "#wire/dhcp4/option-codes.ts";
import { decodeDhcpPacket, type DhcpPacket, encodeDhcpPacket } from "#wire/dhcp4/packet.ts";
import { type PxeRequest, pxeRequest } from "../boot/pxe-messages.ts";
import type { ReceivedDatagram, UdpExchange } from "../boot/udp-exchange.ts";
import { type HostProcess, NetworkHosts, networkTestObstacle } from "../network-hosts.ts";

type SnippetServer = {
  readonly format: "isc-dhcp" | "kea" | "dnsmasq";
  readonly program: string;
  /** Starts it with the snippet in a configuration that leases and does nothing else. */
  readonly start: (hosts: NetworkHosts, folder: string, snippet: string) => Promise<HostProcess>;
};

const servers: readonly SnippetServer[] = [
  {
    format: "isc-dhcp",
    program: "dhcpd",
    async start(hosts, folder, snippet) {
      const path = join(folder, "dhcpd.conf");
      const own = "  range 192.168.20.100 192.168.20.150;\n";
      writeFileSync(path, snippet.replace(/^(subnet .*\{\n)/m, `$1${own}`));
      writeFileSync(join(folder, "leases"), "");
      const args = ["-4", "-f", "-d", "-cf", path, "-lf", join(folder, "leases"), "-pf", join(folder, "pid")];
      const started = hosts.start("dhcp", "dhcpd", [...args, "-user", "root", "-group", "root", "eth0"]);
      await started.waitFor("Server starting service");
      return started;
    },
  },
  {
    format: "kea",
    program: "kea-dhcp4",
    async start(hosts, folder, snippet) {
      const plain = snippet.replaceAll(/^\s*\/\/.*$/gm, "");
      const { Dhcp4: given } = JSON.parse(plain) as {
        Dhcp4: { "client-classes": unknown; subnet4: object[] };
      };
      const config = {
        Dhcp4: {
          ...given,
          "interfaces-config": { interfaces: ["eth0"] },
          "lease-database": { type: "memfile", persist: false },
          subnet4: given.subnet4.map((subnet) => ({
            ...subnet,
            pools: [{ pool: "192.168.20.100 - 192.168.20.150" }],
          })),
        },
      };
      const path = join(folder, "kea.json");
      writeFileSync(path, JSON.stringify(config));
      const environment = { KEA_PIDFILE_DIR: folder, KEA_LOCKFILE_DIR: folder };
      const started = hosts.start("dhcp", "kea-dhcp4", ["-c", path], environment);
      await started.waitFor("DHCP4_STARTED");
      return started;
    },
  },
  {
    format: "dnsmasq",
    program: "dnsmasq",
    async start(hosts, folder, snippet) {
      const path = join(folder, "dnsmasq.conf");
      writeFileSync(path, `${snippet}dhcp-range=set:portolan-far,192.168.20.100,192.168.20.150,1h\n`);
      const started = hosts.start("dhcp", "dnsmasq", [
        ...[
          "--keep-in-foreground",
          "-C",
          path,
          "--port=0",
          "--interface=eth0",
          "--bind-dynamic",
          "--no-ping",
        ],
        ...["--user=root", "--log-facility=-", `--pid-file=${join(folder, "pid")}`],
        `--dhcp-leasefile=${join(folder, "leases")}`,
      ]);
      await started.waitFor("DHCP, IP range");
      return started;
    },
  },
];

/** What one kind of firmware is told to boot, by whom. */
function ask(hosts: NetworkHosts, folder: string, request: PxeRequest): DhcpPacket {
  const exchange: UdpExchange = {
    localPort: 68,
    answerCount: 1,
    waitMs: 500,
    sends: [
      {
        ...{ address: "255.255.255.255", port: 67 },
        hex: Buffer.from(encodeDhcpPacket(pxeRequest({ ...request, isBroadcast: true }))).toString("hex"),
      },
    ],
  };
  const path = join(folder, "exchange.json");
  writeFileSync(path, JSON.stringify(exchange));
  const text = hosts.run("pc", process.execPath, ["test/boot/udp-exchange.ts", path]);
  const [offer] = (JSON.parse(text) as ReceivedDatagram[]).map(({ hex }) =>
    decodeDhcpPacket(Buffer.from(hex, "hex")),
  );
  assert.ok(offer, "no offer came");
  return offer;
}

/** The file name is in the header or in option 67, as the server likes. */
function bootFileOf(offer: DhcpPacket): string {
  const option = findOption(offer.options, optionCodes.bootFileName);
  const text = option === undefined ? offer.bootFile : Buffer.from(option).toString("latin1");
  return text.replace(/\0+$/, "");
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "portolan-snippet-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

for (const { format, program, start } of servers) {
  const skip = networkTestObstacle("ip", program) ?? false;
  test(
    `${format}: with the exported snippet each kind of firmware is told its own file`,
    { skip },
    async (t) => {
      const folder = folderOf(t);
      const hosts = new NetworkHosts(t);
      const link = (host: string, address: string) => ({ host, interfaceName: "eth0", address });
      hosts.segment("far", [link("dhcp", "192.168.20.2/24"), link("pc", "192.168.20.9/24")]);
      hosts.run("pc", "ip", ["route", "add", "default", "dev", "eth0"]);
      await start(hosts, folder, exporters[format].render(exportInputOf(farRequest("classic"))));
      const tell = (number: number, request: Omit<PxeRequest, "mac">): DhcpPacket =>
        ask(hosts, folder, { mac: `52:54:00:00:01:0${number}`, transactionId: 0x1000 + number, ...request });

      const bios = tell(1, { architecture: 0 });
      assert.deepEqual([bootFileOf(bios), bios.serverAddress], ["undionly.kpxe", "192.168.10.1"]);
      for (const architecture of [7, 9]) {
        const uefi = tell(architecture, { architecture });
        assert.deepEqual([bootFileOf(uefi), uefi.serverAddress], ["snponly.efi", "192.168.10.1"]);
      }
      const http = tell(3, { architecture: 16 });
      assert.equal(bootFileOf(http), "http://192.168.10.1:8069/boot/snponly.efi");
      const vendor = findOption(http.options, optionCodes.vendorClass);
      assert.equal(Buffer.from(vendor ?? []).toString("latin1"), "HTTPClient");
      // Option 175 says what iPXE can do; every build of it sends one.
      const features = { code: 175, bytes: Uint8Array.from([19, 1, 1]) };
      const ipxe = tell(4, { architecture: 0, isIpxe: true, extraOptions: [features] });
      assert.equal(
        bootFileOf(ipxe),
        "http://192.168.10.1:8069/boot/script.ipxe?mac=${netX/mac}&uuid=${uuid}",
      );
      const office = tell(5, { architecture: null });
      assert.equal(bootFileOf(office), "");
    },
  );
}
