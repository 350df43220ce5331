import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { candidatePorts } from "../candidate-ports.ts";
import { NetworkError } from "../network-error.ts";
import type { Network, NetworkInterface, OpenSocket, UdpOptions, UdpSocket } from "../network.ts";
import type { Link } from "./link-model.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimulatedDatagram } from "./simulated-datagram.ts";
import { SimulatedUdpSocket } from "./simulated-udp-socket.ts";

/** Linux's default `ip_local_port_range`. */
const ephemeralPorts = { from: 32_768, to: 60_999 } as const;

/** Where an interface is plugged in. */
export type Attachment = {
  readonly nic: NetworkInterface;
  readonly segment: string;
  readonly link: Link;
  readonly computer: SimulatedComputer;
};

/** What the network does for its computers. */
export type Medium = {
  transmit(from: Attachment, datagram: SimulatedDatagram): void;
  /** Whether a router on the segment leads to the address. */
  leadsTo(segment: string, destination: Ipv4Address): boolean;
};

export function simulatedInterface(parts: {
  readonly name: string;
  readonly index: number;
  readonly mac: MacAddress;
  readonly address: Ipv4Address;
  readonly prefixLength: number;
}): NetworkInterface {
  const hostBits = ~Ipv4Subnet.mask(parts.prefixLength) >>> 0;
  return {
    ...parts,
    broadcastAddress: Ipv4Address.fromNumber((Ipv4Address.toNumber(parts.address) | hostBits) >>> 0),
    mtuBytes: 1500,
    isLoopback: parts.name === "lo",
  };
}

const loopback = simulatedInterface({
  name: "lo",
  index: 1,
  mac: MacAddress.parse("00:00:00:00:00:00"),
  address: Ipv4Address.parse("127.0.0.1"),
  prefixLength: 8,
});

/** A computer on simulated segments; as a `Network` it is what a program on it would have. */
export class SimulatedComputer implements Network {
  readonly name: string;
  readonly attachments: Attachment[] = [];
  readonly #medium: Medium;
  readonly #random: SeededRandom;
  readonly #deliver: (work: () => void) => void;
  /** In order of opening. BOUNDED by ports. */
  readonly #sockets = new Set<SimulatedUdpSocket>();

  constructor(parts: {
    readonly name: string;
    readonly medium: Medium;
    readonly random: SeededRandom;
    /** Runs work later at the same instant: nothing is heard inside `send`. */
    readonly deliver: (work: () => void) => void;
  }) {
    this.name = parts.name;
    this.#medium = parts.medium;
    this.#random = parts.random;
    this.#deliver = parts.deliver;
  }

  interfaces(): readonly NetworkInterface[] {
    return [loopback, ...this.attachments.map((attachment) => attachment.nic)];
  }

  async openUdp(grant: SocketGrant, options: UdpOptions = {}): Promise<UdpSocket> {
    const nic = this.#findInterface(grant.interfaceName);
    const isOurs =
      grant.localAddress === Ipv4Address.any ||
      Ipv4Address.isMulticast(grant.localAddress) ||
      this.interfaces().some((own) => own.address === grant.localAddress);
    if (!isOurs) {
      throw new NetworkError(
        "address-not-available",
        `udp port ${grant.localPort} (${grant.flowId}): the address ${grant.localAddress} is not on ${this.name}`,
      );
    }
    const localPort = this.#choosePort(grant, options);
    const host = {
      route: (destination: Ipv4Address) => this.#route(destination),
      transmit: (out: NetworkInterface, datagram: SimulatedDatagram) => this.#transmit(out, datagram),
      release: (socket: SimulatedUdpSocket) => this.#sockets.delete(socket),
    };
    const socket = new SimulatedUdpSocket({ grant, localPort, nic, options, host });
    this.#sockets.add(socket);
    return socket;
  }

  openSockets(): readonly OpenSocket[] {
    return [...this.#sockets].map(({ grant, localAddress, localPort }) => ({
      flowId: grant.flowId,
      transport: "udp",
      interfaceName: grant.interfaceName,
      localAddress,
      localPort,
      groups: grant.side === "listen" ? grant.groups : [],
    }));
  }

  limits(): readonly string[] {
    return [
      "The simulated network has no TCP: connections need real sockets.",
      "The simulated network does not fragment: a datagram above the MTU arrives whole.",
    ];
  }

  /** Power off: every socket is gone at once and nothing is told. */
  crash(): void {
    this.#sockets.clear();
  }

  /** A datagram has reached one of this computer's interfaces. Returns whether any socket heard it. */
  receive(datagram: SimulatedDatagram, nic: NetworkInterface): boolean {
    const hearers = [...this.#sockets].filter((socket) => socket.hears(datagram, nic));
    const isForMany =
      Ipv4Address.isMulticast(datagram.destination) ||
      datagram.destination === Ipv4Address.broadcast ||
      datagram.destination === nic.broadcastAddress;
    // Stable: of equals the one opened last wins, as in the kernel's table.
    const chosen = isForMany
      ? hearers
      : hearers.toSorted((a, b) => a.bindingScore - b.bindingScore).slice(-1);
    for (const socket of chosen) {
      socket.receive(datagram, nic);
    }
    return chosen.length > 0;
  }

  #findInterface(name: string | null): NetworkInterface | null {
    const nic = this.interfaces().find((candidate) => candidate.name === name);
    if (name !== null && nic === undefined) {
      const names = this.interfaces().map((candidate) => candidate.name);
      throw new NetworkError(
        "no-such-interface",
        `there is no interface ${name}; usable here: ${names.join(", ")}`,
      );
    }
    return nic ?? null;
  }

  #choosePort(grant: SocketGrant, options: UdpOptions): number {
    const ports = candidatePorts(grant, this.#random).flatMap((port) =>
      port === 0 ? candidatePorts({ localPort: 0, localPortRange: ephemeralPorts }, this.#random) : [port],
    );
    const free = ports.find((port) => !this.#isTaken(grant, port, options));
    if (free === undefined) {
      throw new NetworkError(
        "port-in-use",
        `udp port ${grant.localPort} (${grant.flowId}) is held by another program on ${this.name}`,
      );
    }
    return free;
  }

  #isTaken(grant: SocketGrant, port: number, options: UdpOptions): boolean {
    const mayShare = (groups: readonly Ipv4Address[], reuse: boolean | undefined): boolean =>
      reuse ?? groups.length > 0;
    return [...this.#sockets].some((other) => {
      const isSameInterface =
        grant.interfaceName === null ||
        other.grant.interfaceName === null ||
        other.grant.interfaceName === grant.interfaceName;
      const isSameAddress =
        grant.localAddress === Ipv4Address.any ||
        other.localAddress === Ipv4Address.any ||
        other.localAddress === grant.localAddress;
      const bothShare =
        mayShare(grant.groups, options.reuseAddress) &&
        mayShare(other.grant.groups, other.options.reuseAddress);
      return other.localPort === port && isSameInterface && isSameAddress && !bothShare;
    });
  }

  #route(destination: Ipv4Address): NetworkInterface | null {
    const onLink = this.interfaces().find((nic) => Ipv4Address.isInside(destination, nic));
    if (onLink !== undefined) {
      return onLink;
    }
    const routed = this.attachments.find(({ segment }) => this.#medium.leadsTo(segment, destination));
    return (routed ?? this.attachments[0])?.nic ?? null;
  }

  #transmit(nic: NetworkInterface, datagram: SimulatedDatagram): void {
    const own = this.interfaces().find((candidate) => candidate.address === datagram.destination);
    if (own !== undefined || nic.isLoopback) {
      // To an address of our own: over loopback, where sockets bound to an interface hear nothing.
      this.#deliver(() => this.receive(datagram, loopback));
      return;
    }
    if (Ipv4Address.isMulticast(datagram.destination)) {
      // IP_MULTICAST_LOOP, on as in the kernel: members on the sending computer hear it, without loss.
      this.#deliver(() => this.receive(datagram, nic));
    }
    const attachment = this.attachments.find((candidate) => candidate.nic === nic);
    if (attachment !== undefined) {
      this.#medium.transmit(attachment, datagram);
    }
  }
}
