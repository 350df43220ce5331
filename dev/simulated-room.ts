import { randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { nobody } from "#server/accounts/principal.ts";
import { Scopes } from "#server/accounts/scope.ts";
import { createHandlers } from "#server/api-handlers.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { Inventory } from "#wire/control/inventory.ts";
import { SimulatedComputer } from "./simulated-computer.ts";
import { type SimulatedSite, simulatedSegments } from "./simulated-site.ts";

const products = ["OptiPlex 7010", "ThinkCentre M70q", "EliteDesk 800 G6", "ProDesk 400", "NUC 11"] as const;

/** Inventory of the number-th simulated computer of a room. */
export function simulatedInventory(number: number, name: string, address: Ipv4Address): Inventory {
  const mac = MacAddress.fromBytes(Uint8Array.of(0x52, 0x54, 0x0a, 0, number >>> 8, number & 255));
  return {
    macs: [mac],
    uuid: `5a3c0000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`,
    serial: `SIM${String(number).padStart(5, "0")}`,
    hostName: name,
    product: products[number % products.length] ?? null,
    firmware: number % 3 === 0 ? "bios" : "uefi",
    isSecureBoot: number % 3 === 1,
    processor: "Simulated processor",
    processorCount: 4,
    memoryBytes: 8 * 2 ** 30,
    operatingSystem: null,
    addresses: [address],
    disks: [
      {
        name: "nvme0n1",
        sizeBytes: 256_060_514_304,
        model: "Simulated NVMe 256",
        serial: `DISK${String(number).padStart(5, "0")}`,
        wwn: null,
        byPath: null,
        isRemovable: false,
      },
    ],
    cards: [],
  };
}

/** Puts computers into the segments by turns. They boot at once and wait to be approved, unless they are known. */
export function startSimulatedRoom(
  site: SimulatedSite,
  options: { readonly count: number; readonly writeDelayMs: number; readonly areInstalled: boolean },
): readonly SimulatedComputer[] {
  return Array.from({ length: options.count }, (_, index) => {
    const segment = simulatedSegments[index % simulatedSegments.length] ?? simulatedSegments[0];
    const [serverText = ""] = segment.address.split("/");
    const serverAddress = Ipv4Address.parse(serverText);
    const host = 10 + Math.floor(index / simulatedSegments.length);
    const address = Ipv4Address.fromNumber((Ipv4Address.toNumber(serverAddress) & ~255) + host);
    const name = `${segment.name}-${String(host - 9).padStart(2, "0")}`;
    const inventory = simulatedInventory(index + 1, name, address);
    const [mac] = inventory.macs;
    if (mac === undefined) {
      throw new Error("a simulated computer has a card");
    }
    const computer = new SimulatedComputer(site, {
      ...{ name, mac, address, serverAddress, inventory },
      interfaceName: segment.name,
      isInstalled: options.areInstalled,
      writeDelayMs: options.writeDelayMs,
    });
    void computer.run();
    return computer;
  });
}

/** Two partitions in a table of the old kind: the first eighth, and the rest. */
function writePartitionTable(disk: Buffer): void {
  const sectorCount = disk.length / 512;
  const first = 2048;
  const second = Math.max(first + 2048, Math.floor(sectorCount / 8));
  disk.fill(0, 440, 512);
  for (const [index, [typeId, start, end]] of [
    [0x0c, first, second],
    [0x83, second, sectorCount],
  ].entries() as IterableIterator<[number, [number, number, number]]>) {
    const at = 446 + index * 16;
    disk[at + 4] = typeId;
    disk.writeUInt32LE(start, at + 8);
    disk.writeUInt32LE(end - start, at + 12);
  }
  disk.writeUInt16LE(0xaa55, 510);
}

/** An image with some content and much emptiness, so that a deployment takes as long as one wants to look at. */
export async function addSimulatedImage(
  site: SimulatedSite,
  image: { readonly name: string; readonly dataMib: number; readonly sizeMib: number },
): Promise<void> {
  const { server } = site;
  const folder = join(server.config.dataDir, "disks");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${image.name}.raw`);
  const content = Buffer.alloc(image.sizeMib * 2 ** 20);
  randomFillSync(content, 0, image.dataMib * 2 ** 20);
  writePartitionTable(content);
  writeFileSync(path, content);
  const scope = new Scopes(server).wholeSite;
  const ignore = { setCookie: () => undefined, setActor: () => undefined };
  const nothing = { query: undefined, principal: nobody, scope, address: "", ...ignore };
  const { id } = await createHandlers(server, "simulated").importImage({
    ...nothing,
    id: "",
    body: { path, name: image.name, trust: [] },
  });
  while (server.operations.find(id)?.state === "running") {
    await delay(50);
  }
  const operation = server.operations.find(id);
  if (operation?.state !== "done") {
    throw new Error(`the simulated image could not be made: ${operation?.error ?? "it was forgotten"}`);
  }
}
