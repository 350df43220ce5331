import { createSocket, type Socket } from "node:dgram";
import { existsSync, readFileSync } from "node:fs";
import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { candidatePorts } from "../candidate-ports.ts";
import { errnoOf, explainOpenFailure } from "../explain-open-failure.ts";
import { type LinkFacts, listInterfaces } from "../list-interfaces.ts";
import { NetworkError } from "../network-error.ts";
import type { Network, NetworkInterface, OpenSocket, UdpOptions, UdpSocket } from "../network.ts";
import { processSockets } from "../open-socket-list.ts";
import { DgramUdpSocket } from "./dgram-udp-socket.ts";

function readNumber(path: string, otherwise: number): number {
  return existsSync(path) ? Number(readFileSync(path, "utf8")) : otherwise;
}

/** From sysfs where there is one; Ethernet's MTU elsewhere. */
function readLinkFacts(name: string): LinkFacts {
  const folder = `/sys/class/net/${name}`;
  return { index: readNumber(`${folder}/ifindex`, 0), mtuBytes: readNumber(`${folder}/mtu`, 1500) };
}

function bind(socket: Socket, port: number, address: Ipv4Address): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port, address, exclusive: true }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

function applyOptions(
  socket: Socket,
  grant: SocketGrant,
  nic: NetworkInterface | null,
  options: UdpOptions,
): void {
  if (nic !== null) {
    socket.setMulticastInterface(nic.address);
  }
  if (options.broadcast === true) {
    socket.setBroadcast(true);
  }
  if (grant.ttl !== null) {
    socket.setMulticastTTL(grant.ttl);
  }
  for (const group of grant.side === "listen" ? grant.groups : []) {
    socket.addMembership(group, nic?.address);
  }
}

/** The seam on plain `node:dgram`: for systems without native calls. Its limits are real; show them. */
class DgramNetwork implements Network {
  readonly #because: string;

  constructor(because: string) {
    this.#because = because;
  }

  interfaces(): readonly NetworkInterface[] {
    return listInterfaces(readLinkFacts);
  }

  async openUdp(grant: SocketGrant, options: UdpOptions = {}): Promise<UdpSocket> {
    const nic = this.#findInterface(grant.interfaceName);
    const ports = candidatePorts(grant);
    for (const [index, port] of ports.entries()) {
      const reuseAddr = options.reuseAddress ?? grant.groups.length > 0;
      const socket = createSocket({
        type: "udp4",
        reuseAddr,
        ...(options.receiveBufferBytes === undefined ? {} : { recvBufferSize: options.receiveBufferBytes }),
        ...(options.sendBufferBytes === undefined ? {} : { sendBufferSize: options.sendBufferBytes }),
      });
      try {
        await bind(socket, port, grant.localAddress);
        applyOptions(socket, grant, nic, options);
        return processSockets.trackUdp(new DgramUdpSocket(grant, nic, socket, () => this.interfaces()));
      } catch (error) {
        socket.close();
        const code = error instanceof Error && "code" in error ? String(error.code) : "";
        if (code !== "EADDRINUSE" || index === ports.length - 1) {
          const cause = error instanceof Error ? error : new Error(String(error));
          throw explainOpenFailure(grant, errnoOf(code), cause);
        }
      }
    }
    throw explainOpenFailure(grant, errnoOf("EADDRINUSE"), new Error("no port to try"));
  }

  openSockets(): readonly OpenSocket[] {
    return processSockets.list();
  }

  limits(): readonly string[] {
    return [
      this.#because,
      "Sockets are not bound to an interface: one server can serve one segment only, and the interface a request came in on is inferred from its source address.",
      "A request from 0.0.0.0 counts as one from the interface of the default route.",
      "Limited broadcasts are sent to the broadcast address of the segment instead, because the system would choose the interface.",
      "A computer without an address cannot be answered by unicast; it must ask for a broadcast answer.",
      "Every datagram costs a system call: multicast imaging and TFTP are several times slower.",
      "Socket buffers cannot grow past the limits of the system.",
    ];
  }

  #findInterface(name: string | null): NetworkInterface | null {
    const all = this.interfaces();
    const nic = all.find((candidate) => candidate.name === name);
    if (name !== null && nic === undefined) {
      const names = all.map((candidate) => candidate.name).join(", ");
      throw new NetworkError(
        "no-such-interface",
        `there is no interface ${name} that is up and has an IPv4 address; usable here: ${names}`,
      );
    }
    return nic ?? null;
  }
}

/** @param because one sentence: why the native implementation is not used */
export function createDgramNetwork(because: string): Network {
  return new DgramNetwork(because);
}
