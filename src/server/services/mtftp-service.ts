import { mtftpPlaceOf } from "#engine/tftp/mtftp-place.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantListeners, type SocketGrant } from "#plan/socket-grant.ts";
import type { Datagram, Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeTftpPacket } from "#wire/tftp/packet.ts";
import type { TftpServiceDependencies } from "./tftp-service.ts";
import { ListenerSet } from "./listener-set.ts";
import type { TftpMulticast } from "./tftp-multicast.ts";

export type MtftpServiceDependencies = {
  readonly network: Network;
  readonly findFile: TftpServiceDependencies["findFile"];
  readonly multicast: TftpMulticast;
  readonly count: (reason: string) => void;
};

/**
 * Takes requests for the files whose place every offer names. A client that hears its file already does not ask; one
 * that is not answered reads by TFTP, so every refusal here is silence with a reason.
 *
 * @see PXE 2.1 §2.2
 */
export class MtftpService {
  readonly #flows: () => readonly Flow[];
  readonly #interfaces: readonly NetworkInterface[];
  readonly #dependencies: MtftpServiceDependencies;
  readonly #listeners = new ListenerSet<UdpSocket>();

  constructor(
    flows: () => readonly Flow[],
    interfaces: readonly NetworkInterface[],
    dependencies: MtftpServiceDependencies,
  ) {
    this.#flows = flows;
    this.#interfaces = interfaces;
    this.#dependencies = dependencies;
  }

  /** @throws NetworkError when the port cannot be had on a named interface; what was open stays open */
  async start(): Promise<void> {
    const grants = grantListeners(findFlow(this.#flows(), "boot.mtftp"), this.#interfaces);
    await this.#listeners.follow(grants, (grant) => this.#open(grant));
  }

  async stop(): Promise<void> {
    await this.#listeners.close();
  }

  async #open(grant: SocketGrant): Promise<UdpSocket> {
    const { network, count } = this.#dependencies;
    const nic = this.#interfaces.find(({ name }) => name === grant.interfaceName);
    const socket = await network.openUdp(grant);
    socket.onDatagram((datagram) => {
      if (nic !== undefined) {
        this.#receive(nic, datagram).catch(() => count("socket-error"));
      }
    });
    socket.onError(() => count("socket-error"));
    return socket;
  }

  async #receive(nic: NetworkInterface, datagram: Datagram): Promise<void> {
    const { count, findFile, multicast } = this.#dependencies;
    const fileName = readFileName(datagram.bytes);
    if (fileName === null) {
      count("mtftp-no-request");
      return;
    }
    const place = mtftpPlaceOf(fileName, this.#flows());
    const client = { address: datagram.sourceAddress, port: datagram.sourcePort };
    const file = findFile(fileName, { networkInterface: nic, address: client.address });
    if (place === null || file === null) {
      count("mtftp-no-such-file");
    } else if (!(await multicast.joinAt(place, fileName, file, client, nic))) {
      count("mtftp-group-in-use");
    }
  }
}

/** A leading `/` or not: the name in the offer decides, and some firmware adds one. */
function readFileName(bytes: Uint8Array): string | null {
  try {
    const packet = decodeTftpPacket(bytes);
    return packet.type === "read-request" && packet.mode === "octet"
      ? packet.fileName.replace(/^\//, "")
      : null;
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}
