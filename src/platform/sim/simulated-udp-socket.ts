import type { SocketGrant } from "#plan/socket-grant.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import { NetworkError } from "../network-error.ts";
import type { Datagram, NetworkInterface, UdpOptions, UdpSocket } from "../network.ts";
import type { SimulatedDatagram } from "./simulated-datagram.ts";

type Destination = { readonly address: Ipv4Address; readonly port: number };

/** Largest UDP payload in IPv4. */
const payloadBytesMax = 65_507;
const unicastTtl = 64;

/** How a socket reaches its computer. */
export type SocketHost = {
  /** The interface a datagram leaves by, or `null` when no route leads there. */
  route(destination: Ipv4Address): NetworkInterface | null;
  transmit(nic: NetworkInterface, datagram: SimulatedDatagram): void;
  release(socket: SimulatedUdpSocket): void;
};

/** A socket with Linux's rules of who hears what. */
export class SimulatedUdpSocket implements UdpSocket {
  readonly grant: SocketGrant;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly options: UdpOptions;
  readonly #nic: NetworkInterface | null;
  readonly #host: SocketHost;
  #isClosed = false;
  #datagramHandler: (datagram: Datagram) => void = () => undefined;
  #errorHandler: (error: Error) => void = () => undefined;

  constructor(parts: {
    readonly grant: SocketGrant;
    readonly localPort: number;
    readonly nic: NetworkInterface | null;
    readonly options: UdpOptions;
    readonly host: SocketHost;
  }) {
    this.grant = parts.grant;
    this.localAddress = parts.grant.localAddress;
    this.localPort = parts.localPort;
    this.options = parts.options;
    this.#nic = parts.nic;
    this.#host = parts.host;
  }

  onDatagram(handler: (datagram: Datagram) => void): void {
    this.#datagramHandler = handler;
  }

  onError(handler: (error: Error) => void): void {
    this.#errorHandler = handler;
  }

  send(bytes: Uint8Array, to: Destination): void {
    this.#transmit(bytes, to, null);
  }

  sendBatch(bytes: Uint8Array, datagramSizeBytes: number, to: Destination): number {
    for (let from = 0; from < bytes.byteLength; from += datagramSizeBytes) {
      this.#transmit(bytes.subarray(from, from + datagramSizeBytes), to, null);
    }
    return bytes.byteLength;
  }

  sendToHardware(bytes: Uint8Array, to: Destination & { readonly mac: MacAddress }): void {
    if (this.#nic === null) {
      this.#errorHandler(
        new NetworkError("not-supported", "a reply to a hardware address needs an interface"),
      );
      return;
    }
    this.#transmit(bytes, to, to.mac);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#host.release(this);
  }

  /** Whether a datagram that reached `nic` is for this socket. */
  hears(datagram: SimulatedDatagram, nic: NetworkInterface): boolean {
    if (datagram.destinationPort !== this.localPort || (this.#nic !== null && this.#nic.name !== nic.name)) {
      return false;
    }
    const { destination } = datagram;
    const isBoundTo = this.localAddress === destination;
    if (Ipv4Address.isMulticast(destination)) {
      const hasJoined = this.grant.side === "listen" && this.grant.groups.includes(destination);
      return hasJoined && (isBoundTo || this.localAddress === Ipv4Address.any);
    }
    return isBoundTo || this.localAddress === Ipv4Address.any;
  }

  /** The kernel gives a unicast datagram to one socket only: the one bound most closely. */
  get bindingScore(): number {
    return (this.localAddress === Ipv4Address.any ? 0 : 2) + (this.#nic === null ? 0 : 1);
  }

  receive(datagram: SimulatedDatagram, nic: NetworkInterface): void {
    if (!this.#isClosed) {
      this.#datagramHandler({
        bytes: Uint8Array.from(datagram.bytes),
        sourceAddress: datagram.source,
        sourcePort: datagram.sourcePort,
        interfaceName: nic.name,
      });
    }
  }

  #transmit(bytes: Uint8Array, to: Destination, mac: MacAddress | null): void {
    if (this.#isClosed) {
      return;
    }
    const nic = this.#nic ?? this.#host.route(to.address);
    const refusal = this.#refusalOf(bytes, to, nic);
    if (refusal !== null || nic === null) {
      this.#errorHandler(refusal ?? new NetworkError("system-call-failed", `no route to ${to.address}`));
      return;
    }
    const isGroup = Ipv4Address.isMulticast(to.address);
    const hasOwnAddress =
      this.localAddress !== Ipv4Address.any && !Ipv4Address.isMulticast(this.localAddress);
    this.#host.transmit(nic, {
      sourceMac: nic.mac,
      source: hasOwnAddress ? this.localAddress : nic.address,
      sourcePort: this.localPort,
      destination: to.address,
      destinationPort: to.port,
      destinationMac: mac,
      ttl: isGroup ? (this.grant.ttl ?? 1) : unicastTtl,
      // Not `slice`, which for a Buffer is a view.
      bytes: Uint8Array.from(bytes),
    });
  }

  #refusalOf(bytes: Uint8Array, to: Destination, nic: NetworkInterface | null): NetworkError | null {
    if (Ipv4Address.isMulticast(to.address) && !this.grant.groups.includes(to.address)) {
      return new NetworkError("not-granted", `${this.grant.flowId} may not send to group ${to.address}`);
    }
    const isBroadcast = to.address === Ipv4Address.broadcast || to.address === nic?.broadcastAddress;
    if (isBroadcast && this.options.broadcast !== true) {
      return new NetworkError("system-call-failed", "sendto: EACCES");
    }
    if (bytes.byteLength > payloadBytesMax) {
      return new NetworkError("system-call-failed", "sendto: EMSGSIZE");
    }
    return null;
  }
}
