import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { cpus, hostname, networkInterfaces, totalmem } from "node:os";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { DiskInventory, Inventory } from "#wire/control/inventory.ts";
import { knownNeighbours } from "./neighbour-watch.ts";
import { listCardNames, readNetworkCards } from "./network-cards.ts";
import { readSystemFacts, type SystemFacts, toNetworkCards } from "./system-facts.ts";

/** Kernel files come and go with devices; one that is not there has nothing to say. */
function readText(path: string): string | null {
  try {
    const text = readFileSync(path, "latin1")
      .replaceAll(/[^\x20-\x7e]/g, "")
      .trim()
      .slice(0, 128);
    return text === "" ? null : text;
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      return null;
    }
    throw error;
  }
}

function listFolder(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

function findByPath(name: string): string | null {
  const folder = "/dev/disk/by-path";
  const link = listFolder(folder).find((entry) => realpathSync(`${folder}/${entry}`) === `/dev/${name}`);
  if (link !== undefined) {
    return link;
  }
  // Without udev the place on the bus says the same.
  const device = `/sys/block/${name}/device`;
  return existsSync(device) ? realpathSync(device).replace("/sys/devices/", "").slice(0, 256) : null;
}

/** Disks a system could be on; not loops, memory disks, optical drives or empty card readers. */
export function listDisks(): DiskInventory[] {
  return listFolder("/sys/block")
    .filter((name) => !/^(loop|ram|zram|sr|fd|md|dm-)/.test(name))
    .map((name) => {
      const path = `/sys/block/${name}`;
      return {
        name,
        sizeBytes: Number(readText(`${path}/size`) ?? "0") * 512,
        model: readText(`${path}/device/model`),
        serial: readText(`${path}/serial`) ?? readText(`${path}/device/serial`),
        wwn: readText(`${path}/wwid`) ?? readText(`${path}/device/wwid`),
        byPath: findByPath(name),
        isRemovable: readText(`${path}/removable`) === "1",
      };
    })
    .filter((disk) => disk.sizeBytes > 0);
}

function readOperatingSystem(): string | null {
  const text = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  return /^PRETTY_NAME="?([^"\n]{1,128})/m.exec(text)?.[1] ?? null;
}

export function isSecureBoot(): boolean {
  const folder = "/sys/firmware/efi/efivars";
  const name = listFolder(folder).find((entry) => entry.startsWith("SecureBoot-"));
  // Four bytes of attributes, then the value.
  return name !== undefined && readFileSync(`${folder}/${name}`)[4] === 1;
}

function processorName(): string | null {
  const name = cpus()[0]?.model.trim().slice(0, 128) ?? "";
  // Node's word for those it finds no name of.
  return name === "" || name === "unknown" ? null : name;
}

/** What the kernel's files say. In a container the firmware's names are those of its host. */
function readLinuxFacts(): Omit<SystemFacts, "cards"> {
  const { isContainer } = listCardNames();
  const dmi = (name: string): string | null => (isContainer ? null : readText(`/sys/class/dmi/id/${name}`));
  const product = [dmi("sys_vendor"), dmi("product_name")].filter((part) => part !== null).join(" ");
  return {
    uuid: dmi("product_uuid")?.toLowerCase() ?? null,
    serial: dmi("product_serial"),
    product: product === "" ? null : product.slice(0, 128),
    operatingSystem: readOperatingSystem(),
    firmware: existsSync("/sys/firmware/efi") ? "uefi" : "bios",
    isSecureBoot: isSecureBoot(),
    disks: listDisks(),
  };
}

/** What this computer is. On Linux from the kernel's files alone: works in preboot as in an installed system. */
export function readInventory(): Inventory {
  const asked = readSystemFacts();
  const cards = asked === null ? readNetworkCards(knownNeighbours()) : toNetworkCards(asked.cards);
  const facts = asked ?? readLinuxFacts();
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((item) => item.family === "IPv4" && !item.internal)
    .map((item) => Ipv4Address.parse(item.address));
  return {
    macs: [...new Set(cards.map(({ mac }) => mac))].toSorted(),
    uuid: facts.uuid,
    serial: facts.serial,
    hostName: hostname().slice(0, 128),
    product: facts.product,
    firmware: facts.firmware,
    isSecureBoot: facts.isSecureBoot,
    processor: processorName(),
    processorCount: cpus().length,
    memoryBytes: totalmem(),
    operatingSystem: facts.operatingSystem,
    addresses,
    disks: facts.disks,
    cards,
  };
}
