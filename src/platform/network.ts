import type { SocketGrant } from "#plan/socket-grant.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";

/**
 * The seam between programs and the outside network. `linux/` implements it with real sockets, `sim/` in memory.
 * Nothing opens without a `SocketGrant`, which only the plan can cut from a flow.
 */
export type Network = {
  /** Interfaces that are up and have an IPv4 address, loopback included. */
  interfaces(): readonly NetworkInterface[];
  /** @throws NetworkError `port-in-use` | `no-privilege` | `no-such-interface` | `address-not-available` */
  openUdp(grant: SocketGrant, options?: UdpOptions): Promise<UdpSocket>;
  /** Sockets now open, for the plan's comparison with itself. */
  openSockets(): readonly OpenSocket[];
  /** What this implementation cannot do, as sentences for the operator; empty when it can do everything. */
  limits(): readonly string[];
};

export type NetworkInterface = {
  readonly name: string;
  readonly index: number;
  readonly mac: MacAddress;
  readonly address: Ipv4Address;
  readonly prefixLength: number;
  readonly broadcastAddress: Ipv4Address;
  readonly mtuBytes: number;
  readonly isLoopback: boolean;
};

export type UdpOptions = {
  /** May send to broadcast addresses. Default false. */
  readonly broadcast?: boolean;
  /** SO_REUSEADDR. Default true for groups, false otherwise. */
  readonly reuseAddress?: boolean;
  readonly receiveBufferBytes?: number;
  readonly sendBufferBytes?: number;
  /** Every datagram says "do not fragment", whatever is known of the path: for finding the path MTU. Linux only. */
  readonly neverFragment?: boolean;
  /**
   * Datagrams of one sender that follow each other may be handed over joined: all of one size, only the last may be
   * shorter. Where each ends is for the protocol to know. It saves a call for each of them. Their bytes are valid only
   * until the handler returns. Default false.
   */
  readonly joined?: boolean;
  /**
   * Each datagram is answered by its handler at once. What has come to any such socket is then handed over in one turn
   * of the event loop. The bytes are valid only until the handler returns. Default false.
   */
  readonly conversational?: boolean;
};

export type Datagram = {
  readonly bytes: Uint8Array;
  readonly sourceAddress: Ipv4Address;
  readonly sourcePort: number;
  /** The interface it arrived on; equals the grant's interface on device-bound sockets. */
  readonly interfaceName: string;
};

export type UdpSocket = {
  readonly grant: SocketGrant;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  /** Called for each datagram; one handler only, set before the first await after opening. */
  onDatagram(handler: (datagram: Datagram) => void): void;
  /** Fire and forget; failures go to `onError` and are counted, never thrown. `bytes` may be used again when it returns. */
  send(bytes: Uint8Array, to: { readonly address: Ipv4Address; readonly port: number }): void;
  /**
   * Sends `bytes` as datagrams of `datagramSizeBytes` each, the last as long as what is left, in as few system calls as
   * can be. `bytes` may be used again when it returns. Failures go to `onError` as those of `send`.
   *
   * @returns how many bytes were taken, always whole datagrams. The rest found no room: try again a little later.
   */
  sendBatch(
    bytes: Uint8Array,
    datagramSizeBytes: number,
    to: { readonly address: Ipv4Address; readonly port: number },
  ): number;
  /** Sends one UDP datagram in an Ethernet frame to `mac`, for clients that cannot answer ARP yet. */
  sendToHardware(
    bytes: Uint8Array,
    to: { readonly mac: MacAddress; readonly address: Ipv4Address; readonly port: number },
  ): void;
  onError(handler: (error: Error) => void): void;
  close(): Promise<void>;
};

export type OpenSocket = {
  readonly flowId: SocketGrant["flowId"];
  readonly transport: "udp" | "tcp";
  readonly interfaceName: string | null;
  readonly localAddress: Ipv4Address;
  readonly localPort: number;
  readonly groups: readonly Ipv4Address[];
};
