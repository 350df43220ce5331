import { existsSync, readFileSync } from "node:fs";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { NetworkInterface } from "./network.ts";

/** The interface of the default route in `/proc/net/route`, or `null`; other systems have no such table. */
function defaultRouteInterface(): string | null {
  const table = "/proc/net/route";
  const lines = existsSync(table) ? readFileSync(table, "utf8").split("\n").slice(1) : [];
  for (const line of lines) {
    const [name, destination, , , , , , mask] = line.split("\t");
    if (name !== undefined && destination === "00000000" && mask === "00000000") {
      return name;
    }
  }
  return null;
}

/**
 * The interface that leads to a sender: how sockets that are not bound to an interface name the arrival. An inference
 * from the source address, not a fact from the kernel; empty when nothing leads there.
 */
export function arrivalInterface(source: Ipv4Address, interfaces: readonly NetworkInterface[]): string {
  const onLink = interfaces.find((nic) => Ipv4Address.isInside(source, nic));
  return onLink?.name ?? defaultRouteInterface() ?? "";
}
