import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { BootEvent } from "#engine/boot/boot-event.ts";
import type { KnownComputer } from "#engine/boot/identify-computer.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { type DhcpPacket, decodeDhcpPacket, encodeDhcpPacket } from "#wire/dhcp4/packet.ts";
import type { HostLink, HostProcess, NetworkHosts } from "../network-hosts.ts";
import type { ServeBootOptions } from "./serve-boot.ts";
import type { ReceivedDatagram, UdpExchange } from "./udp-exchange.ts";

export type BootReply = { readonly from: string; readonly packet: DhcpPacket };

const bootFileSizes: Readonly<Record<string, number>> = {
  "undionly.kpxe": 74_000,
  "snponly.efi": 170_000,
  "shimx64.efi": 1_000,
  "grubx64.efi": 1_000,
  vmlinuz: 300_000,
  "initrd.img": 200_000,
  "preboot.squashfs": 3_000_000,
};

/** Content a test can compute as well. */
export function bootFileContent(name: string): Buffer {
  const bytes = Buffer.alloc(bootFileSizes[name] ?? 0);
  for (let index = 0; index < bytes.byteLength; index += 1) {
    bytes[index] = (index * 13 + name.length + (index >> 8)) & 255;
  }
  return bytes;
}

/** A data directory with a boot folder and its manifest. */
export function makeDataDir(t: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), "portolan-boot-"));
  t.after(() => rmSync(dataDir, { recursive: true }));
  mkdirSync(join(dataDir, "boot"));
  const files = Object.keys(bootFileSizes).map((name) => {
    const bytes = bootFileContent(name);
    writeFileSync(join(dataDir, "boot", name), bytes);
    return { name, sizeBytes: bytes.byteLength, sha256: createHash("sha256").update(bytes).digest("hex") };
  });
  writeFileSync(join(dataDir, "boot", "manifest.json"), JSON.stringify({ files }));
  return dataDir;
}

export function computer(id: string, mac: string, given: Partial<KnownComputer> = {}): KnownComputer {
  return {
    id,
    name: id,
    macs: [MacAddress.parse(mac)],
    uuid: null,
    state: "approved",
    work: "none",
    isConnected: false,
    ...given,
  };
}

/** The server's boot services on host `server`, and computers that talk to them. */
export class BootSite {
  readonly hosts: NetworkHosts;
  readonly server: HostProcess;

  constructor(hosts: NetworkHosts, server: HostProcess) {
    this.hosts = hosts;
    this.server = server;
  }

  /**
   * Sends packets from port 68 of a host, waits for as many answers as there must be, and returns the DHCP messages that
   * came back, with their senders.
   */
  ask(
    host: string,
    packets: readonly DhcpPacket[],
    given: {
      readonly address?: string;
      readonly port?: number;
      readonly localPort?: number;
      /** One if it is not given. */
      readonly answerCount?: number;
      readonly waitMs?: number;
    } = {},
  ): readonly BootReply[] {
    const sends = packets.map((packet) => ({
      address: given.address ?? "255.255.255.255",
      port: given.port ?? 67,
      hex: Buffer.from(encodeDhcpPacket(packet)).toString("hex"),
    }));
    return this.exchange(host, {
      localPort: given.localPort ?? 68,
      answerCount: given.answerCount ?? 1,
      waitMs: given.waitMs ?? 400,
      sends,
    }).map(({ address, port, hex }) => ({
      from: `${address}:${port}`,
      packet: decodeDhcpPacket(Buffer.from(hex, "hex")),
    }));
  }

  exchange(host: string, exchange: UdpExchange): readonly ReceivedDatagram[] {
    const folder = mkdtempSync(join(tmpdir(), "portolan-udp-"));
    try {
      const path = join(folder, "exchange.json");
      writeFileSync(path, JSON.stringify(exchange));
      const printed = this.hosts.run(host, process.execPath, ["test/boot/udp-exchange.ts", path]);
      return JSON.parse(printed) as ReceivedDatagram[];
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Boot events printed so far. */
  events(): readonly BootEvent[] {
    return this.#lines().flatMap((line) => ("event" in line ? [line.event as BootEvent] : []));
  }

  /** The last counters of the DHCP service. */
  counters(): Readonly<Record<string, number>> {
    const found = this.#lines().findLast((line) => "counters" in line);
    return (found?.["counters"] ?? {}) as Record<string, number>;
  }

  #lines(): readonly Record<string, unknown>[] {
    const lines = this.server.output().split("\n");
    return lines
      .filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/**
 * Segments with their hosts, and the boot services on `server`. Each host but the server sends broadcasts out of
 * `eth0`.
 */
export async function startBootSite(
  t: TestContext,
  hosts: NetworkHosts,
  segments: Readonly<Record<string, readonly HostLink[]>>,
  options: Omit<ServeBootOptions, "dataDir">,
): Promise<BootSite> {
  for (const [name, links] of Object.entries(segments)) {
    hosts.segment(name, links);
    for (const { host, interfaceName } of links) {
      if (host !== "server" && interfaceName === "eth0") {
        hosts.run(host, "ip", ["route", "replace", "255.255.255.255", "dev", "eth0"]);
      }
    }
  }
  const dataDir = makeDataDir(t);
  return startBootServer(hosts, { ...options, dataDir });
}

export async function startBootServer(hosts: NetworkHosts, options: ServeBootOptions): Promise<BootSite> {
  const server = hosts.start("server", process.execPath, [
    "test/boot/serve-boot.ts",
    JSON.stringify(options),
  ]);
  await server.waitFor("ready");
  return new BootSite(hosts, server);
}

const limitMs = 60_000;

/** Waits until the server has come so far; the assertion after it says what was missing when it never does. */
export async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!isSo() && performance.now() < endMs) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

/** Waits until the DHCP service has counted as many packets, whatever became of each. */
export function untilCounted(site: BootSite, count: number): Promise<void> {
  return until(() => Object.values(site.counters()).reduce((sum, each) => sum + each, 0) >= count);
}
