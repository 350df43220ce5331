import { networkInterfaces } from "node:os";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { NetworkInterface } from "./network.ts";

/** What `node:os` does not tell of an interface. */
export type LinkFacts = { readonly index: number; readonly mtuBytes: number };

/** Interfaces that are up and have an IPv4 address; the first address of each counts. */
export function listInterfaces(readLinkFacts: (name: string) => LinkFacts): NetworkInterface[] {
  const found: NetworkInterface[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const ipv4 = addresses?.find((candidate) => candidate.family === "IPv4");
    // `eth0:1` is a second address of eth0, not an interface.
    if (ipv4 === undefined || ipv4.cidr === null || name.includes(":")) {
      continue;
    }
    const prefixLength = Number(ipv4.cidr.split("/")[1]);
    const address = Ipv4Address.parse(ipv4.address);
    const hostBits = ~Ipv4Subnet.mask(prefixLength) >>> 0;
    found.push({
      name,
      ...readLinkFacts(name),
      mac: MacAddress.parse(ipv4.mac),
      address,
      prefixLength,
      broadcastAddress: Ipv4Address.fromNumber((Ipv4Address.toNumber(address) | hostBits) >>> 0),
      isLoopback: ipv4.internal,
    });
  }
  return found;
}
