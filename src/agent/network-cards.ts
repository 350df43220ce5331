import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename } from "node:path";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { LinkNeighbour, NetworkCard } from "#wire/control/network-card.ts";

const root = "/sys/class/net";
const cardCountMax = 32;
/** ARPHRD_ETHER */
const etherType = "1";

function readAttribute(name: string, attribute: string): string | null {
  try {
    return readFileSync(`${root}/${name}/${attribute}`, "latin1").trim();
  } catch (error) {
    // Some attributes cannot be read while the card is down.
    if (error instanceof Error && "code" in error) {
      return null;
    }
    throw error;
  }
}

function readMac(name: string): MacAddress | null {
  const text = readAttribute(name, "address") ?? "";
  const isMac = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text) && text !== "00:00:00:00:00:00";
  return isMac ? MacAddress.parse(text) : null;
}

/** An end of a virtual cable, as containers have; not a bridge, a bond, a tunnel or a VLAN on top of another card. */
function isVirtualCard(name: string): boolean {
  const isOnTop = ["bridge", "bonding", "tun_flags"].some((mark) => existsSync(`${root}/${name}/${mark}`));
  const isVlan = existsSync(`/proc/net/vlan/${name}`);
  return readAttribute(name, "type") === etherType && !isOnTop && !isVlan;
}

/**
 * Names of the cards that tell this computer from others. Physical cards have a device. Where there is none this is a
 * container: its virtual cards count, and the firmware's names are those of its host.
 */
export function listCardNames(): { readonly names: readonly string[]; readonly isContainer: boolean } {
  const all = existsSync(root) ? readdirSync(root) : [];
  const physical = all.filter((name) => existsSync(`${root}/${name}/device`));
  return physical.length > 0
    ? { names: physical, isContainer: false }
    : { names: all.filter(isVirtualCard), isContainer: true };
}

/** The kernel's number of a card, which none that comes later gets; `null` when it is not there. */
export function readCardIndex(name: string): number | null {
  const index = Number(readAttribute(name, "ifindex") ?? "");
  return index > 0 ? index : null;
}

/** The cards of this computer, with what is known of the switches they are plugged into, keyed by card name. */
export function readNetworkCards(neighbours: ReadonlyMap<string, LinkNeighbour>): NetworkCard[] {
  const addresses = networkInterfaces();
  return listCardNames()
    .names.slice(0, cardCountMax)
    .flatMap((name) => {
      const mac = readMac(name);
      if (mac === null) {
        return [];
      }
      const ipv4 = addresses[name]?.find(({ family }) => family === "IPv4");
      const speedMbps = Number(readAttribute(name, "speed") ?? "");
      const driver = `${root}/${name}/device/driver`;
      return {
        name,
        mac,
        address: ipv4 === undefined ? null : Ipv4Address.parse(ipv4.address),
        prefixLength: Number(ipv4?.cidr?.split("/")[1] ?? 0),
        isWired: !existsSync(`${root}/${name}/wireless`) && !existsSync(`${root}/${name}/phy80211`),
        isUp: readAttribute(name, "carrier") === "1",
        speedMbps: Number.isInteger(speedMbps) && speedMbps > 0 ? speedMbps : null,
        driver: existsSync(driver) ? basename(realpathSync(driver)) : null,
        neighbour: neighbours.get(name) ?? null,
      };
    });
}
