import { spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { DiskInventory } from "#wire/control/inventory.ts";
import type { NetworkCard } from "#wire/control/network-card.ts";
import { parseMacosFacts } from "./macos-facts.ts";
import { parseWindowsFacts, windowsFactsCommand } from "./windows-facts.ts";

/** A physical card, without what its address is now. */
export type CardFacts = Pick<NetworkCard, "name" | "isWired" | "isUp" | "speedMbps" | "driver"> & {
  readonly mac: MacAddress;
};

/** What Linux has in files of its kernel, and other systems have to be asked for. */
export type SystemFacts = {
  readonly uuid: string | null;
  readonly serial: string | null;
  readonly product: string | null;
  readonly operatingSystem: string | null;
  readonly firmware: "bios" | "uefi";
  readonly isSecureBoot: boolean;
  readonly cards: readonly CardFacts[];
  readonly disks: readonly DiskInventory[];
};

const askTimeoutMs = 30_000;
/** Asking takes seconds, and one connection asks more than once. */
const factsAgeMsMax = 60_000;

let last: { readonly facts: SystemFacts; readonly atMs: number } | null = null;

/** The output of a program, empty when there is none: the facts that are missing say so by themselves. */
function ask(program: string, args: readonly string[]): string {
  const outcome = spawnSync(program, args, { encoding: "utf8", timeout: askTimeoutMs, windowsHide: true });
  return outcome.status === 0 ? outcome.stdout : "";
}

function askSystem(): SystemFacts {
  if (process.platform === "win32") {
    const { program, args } = windowsFactsCommand();
    return parseWindowsFacts(ask(program, args));
  }
  return parseMacosFacts({
    platform: ask("/usr/sbin/ioreg", ["-rd1", "-c", "IOPlatformExpertDevice"]),
    ports: ask("/usr/sbin/networksetup", ["-listallhardwareports"]),
    version: ask("/usr/bin/sw_vers", ["-productVersion"]),
  });
}

/** `null` on Linux, which is not asked. */
export function readSystemFacts(nowMs = performance.now()): SystemFacts | null {
  if (process.platform === "linux") {
    return null;
  }
  if (last === null || nowMs - last.atMs > factsAgeMsMax) {
    last = { facts: askSystem(), atMs: nowMs };
  }
  return last.facts;
}

/** The cards with the addresses they have now. */
export function toNetworkCards(cards: readonly CardFacts[]): NetworkCard[] {
  const addresses = networkInterfaces();
  return cards.map((card) => {
    const ipv4 = addresses[card.name]?.find(({ family }) => family === "IPv4");
    return {
      ...card,
      isUp: card.isUp || ipv4 !== undefined,
      address: ipv4 === undefined ? null : Ipv4Address.parse(ipv4.address),
      prefixLength: Number(ipv4?.cidr?.split("/")[1] ?? 0),
      neighbour: null,
    };
  });
}
