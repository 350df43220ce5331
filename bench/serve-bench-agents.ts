import { readFileSync } from "node:fs";
import { Agent } from "#agent/agent.ts";
import type { AgentConfig } from "#agent/config.ts";
import { AgentIdentity } from "#agent/identity.ts";
import { SettingsKeeper } from "#agent/settings-keeper.ts";
import { classicSettings } from "#plan/settings.ts";
import { createNetwork } from "#platform/create-network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { Inventory } from "#wire/control/inventory.ts";
import type { BenchAgents } from "./agents.ts";

/*
 * Many real agents in one process, each with its own certificate, inventory and source address.
 * usage: serve-bench-agents.ts FILE FIRST COUNT
 */
const [path = "", firstText = "0", countText = "0"] = process.argv.slice(2);
const { keyPem, siteKeyFingerprint, computers } = JSON.parse(readFileSync(path, "utf8")) as BenchAgents;
const network = await createNetwork();
const server = Ipv4Address.parse("127.0.0.1");
const discovery = {
  group: classicSettings["discovery.group"],
  port: classicSettings["discovery.port"],
  ttl: classicSettings["discovery.ttl"],
};

const config: AgentConfig = {
  environment: "os",
  server,
  discovery: null,
  lastDiscovery: discovery,
  lock: null,
  remoteControl: "allow",
  remoteNotice: false,
  remoteDisplay: null,
  controlPort: classicSettings["control.tcpPort"],
  siteKeyFingerprint,
  bootToken: null,
  stateDir: null,
};

/** As much as a usual computer has to tell. */
function describeComputer(mac: MacAddress, address: Ipv4Address): Inventory {
  return {
    macs: [mac],
    uuid: null,
    serial: `S${mac.replaceAll(":", "")}`,
    hostName: `pc-${mac.replaceAll(":", "")}`,
    product: "Bench Desktop 5000",
    firmware: "uefi",
    isSecureBoot: true,
    processor: "Bench CPU @ 3.00 GHz",
    processorCount: 8,
    memoryBytes: 16 << 30,
    operatingSystem: "Debian GNU/Linux 12 (bookworm)",
    addresses: [address],
    disks: [
      {
        name: "nvme0n1",
        sizeBytes: 512e9,
        model: "Bench SSD",
        serial: `D${mac.replaceAll(":", "")}`,
        wwn: null,
        byPath: "pci-0000:01:00.0-nvme-1",
        isRemovable: false,
      },
    ],
    cards: [
      {
        name: "eno1",
        mac,
        address,
        prefixLength: 24,
        isWired: true,
        isUp: true,
        speedMbps: 1000,
        driver: "e1000e",
        neighbour: null,
      },
    ],
  };
}

const first = Number(firstText);
for (const [index, computer] of computers.slice(first, first + Number(countText)).entries()) {
  const number = first + index;
  const address = Ipv4Address.parse(`127.${1 + (number >> 14)}.${(number >> 6) & 255}.${1 + (number & 63)}`);
  const settings = await SettingsKeeper.load(null, {}, config);
  const agent = new Agent({
    network,
    identity: AgentIdentity.restore(keyPem, computer.certificatePem),
    settings,
    findServer: () => Promise.resolve({ address: server, port: config.controlPort }),
    readInventory: () => describeComputer(MacAddress.parse(computer.mac), address),
    localAddress: address,
    say: () => undefined,
  });
  agent.run().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
}
process.stdout.write("running\n");
