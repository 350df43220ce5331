import { mtftpPlaceOf } from "#engine/tftp/mtftp-place.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import type { Datagram, Network, NetworkInterface, UdpSocket } from "#platform/network.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeTftpPacket } from "#wire/tftp/packet.ts";
import type { TftpServiceDependencies } from "./tftp-service.ts";
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
  readonly #listeners: UdpSocket[] = [];

  constructor(
    flows: () => readonly Flow[],
    interfaces: readonly NetworkInterface[],
    dependencies: MtftpServiceDependencies,
  ) {
    this.#flows = flows;
    this.#interfaces = interfaces;
    this.#dependencies = dependencies;
  }

  get #flow(): Flow {
    return findFlow(this.#flows(), "boot.tftp-multicast");
  }

  /** Where clients listen, and where we do. */
  get #ports(): readonly number[] {
    const { ports } = this.#flow;
    return "from" in ports ? [] : ports;
  }

  /** @throws NetworkError when the port cannot be had on a named interface */
  async start(): Promise<void> {
    const [, serverPort] = this.#ports;
    if (serverPort === undefined) {
      return;
    }
    for (const nic of this.#interfaces) {
      const grant = grantSocket(this.#flow, {
        role: "server",
        side: "listen",
        interfaceName: nic.name,
        localPort: serverPort,
      });
      const socket = await this.#dependencies.network.openUdp(grant);
      socket.onDatagram((datagram) => {
        this.#receive(nic, datagram).catch(() => this.#dependencies.count("socket-error"));
      });
      socket.onError(() => this.#dependencies.count("socket-error"));
      this.#listeners.push(socket);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((socket) => socket.close()));
  }

  async #receive(nic: NetworkInterface, datagram: Datagram): Promise<void> {
    const { count, findFile, multicast } = this.#dependencies;
    const fileName = readFileName(datagram.bytes);
    if (fileName === null) {
      count("mtftp-no-request");
      return;
    }
    const place = mtftpPlaceOf(fileName, this.#flow.groups, this.#ports);
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
