import { networkInterfaces } from "node:os";
import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { explainOpenFailure } from "../explain-open-failure.ts";
import { NetworkError } from "../network-error.ts";
import type { Network, NetworkInterface, OpenSocket, UdpOptions, UdpSocket } from "../network.ts";
import { processSockets } from "../open-socket-list.ts";
import { openLinuxUdpSocket } from "./linux-udp-socket.ts";
import { interfaceIndex, interfaceMtuBytes, SystemCallError } from "./native/socket-calls.ts";

/** Interfaces with an IPv4 address; the first address of each counts. */
export function listInterfaces(): NetworkInterface[] {
  const found: NetworkInterface[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    const ipv4 = addresses?.find((candidate) => candidate.family === "IPv4");
    if (ipv4 === undefined || ipv4.cidr === null || name.includes(":")) {
      continue;
    }
    const prefixLength = Number(ipv4.cidr.split("/")[1]);
    const address = Ipv4Address.parse(ipv4.address);
    const hostBits = ~Ipv4Subnet.mask(prefixLength) >>> 0;
    found.push({
      name,
      index: interfaceIndex(name),
      mac: MacAddress.parse(ipv4.mac),
      address,
      prefixLength,
      broadcastAddress: Ipv4Address.fromNumber((Ipv4Address.toNumber(address) | hostBits) >>> 0),
      mtuBytes: interfaceMtuBytes(name),
      isLoopback: ipv4.internal,
    });
  }
  return found;
}

class LinuxNetwork implements Network {
  interfaces(): readonly NetworkInterface[] {
    return listInterfaces();
  }

  async openUdp(grant: SocketGrant, options: UdpOptions = {}): Promise<UdpSocket> {
    const nic = this.#findInterface(grant.interfaceName);
    try {
      const socket = await openLinuxUdpSocket(grant, nic, options, listInterfaces);
      return processSockets.trackUdp(socket);
    } catch (error) {
      if (error instanceof SystemCallError) {
        throw explainOpenFailure(grant, error.errno, error);
      }
      throw error;
    }
  }

  openSockets(): readonly OpenSocket[] {
    return processSockets.list();
  }

  limits(): readonly string[] {
    return [];
  }

  #findInterface(name: string | null): NetworkInterface | null {
    if (name === null) {
      return null;
    }
    const all = listInterfaces();
    const nic = all.find((candidate) => candidate.name === name);
    if (nic === undefined) {
      throw describeMissingInterface(name, all);
    }
    return nic;
  }
}

/** An interface may be there and still be of no use: down, without a carrier, or without an address. */
function describeMissingInterface(name: string, usable: readonly NetworkInterface[]): NetworkError {
  const names = usable.map((candidate) => candidate.name).join(", ");
  const state =
    interfaceIndex(name) === 0
      ? `there is no interface ${name}`
      : `interface ${name} is down, unplugged or has no IPv4 address`;
  return new NetworkError("no-such-interface", `${state}; usable here: ${names === "" ? "none" : names}`);
}

export function createLinuxNetwork(): Network {
  return new LinuxNetwork();
}
