import type { SocketGrant } from "#plan/socket-grant.ts";
import { explainOpenFailure } from "../explain-open-failure.ts";
import { listInterfaces } from "../list-interfaces.ts";
import { NetworkError } from "../network-error.ts";
import type { Network, NetworkInterface, OpenSocket, UdpOptions, UdpSocket } from "../network.ts";
import { processSockets } from "../open-socket-list.ts";
import { openLinuxUdpSocket } from "./linux-udp-socket.ts";
import { interfaceIndex, interfaceMtuBytes, SystemCallError } from "./native/socket-calls.ts";

/** Asked of the kernel, because `/sys` may show another network namespace. */
function listLinuxInterfaces(): NetworkInterface[] {
  return listInterfaces((name) => ({ index: interfaceIndex(name), mtuBytes: interfaceMtuBytes(name) }));
}

class LinuxNetwork implements Network {
  interfaces(): readonly NetworkInterface[] {
    return listLinuxInterfaces();
  }

  async openUdp(grant: SocketGrant, options: UdpOptions = {}): Promise<UdpSocket> {
    const nic = this.#findInterface(grant.interfaceName);
    try {
      const socket = await openLinuxUdpSocket(grant, nic, options, listLinuxInterfaces);
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
    const all = listLinuxInterfaces();
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
