import type { OpenSocket, UdpSocket } from "./network.ts";

/** Sockets now open, for the plan's comparison with itself. BOUNDED by the sockets themselves. */
export class OpenSocketList {
  readonly #open = new Set<OpenSocket>();

  list(): readonly OpenSocket[] {
    return [...this.#open];
  }

  /** Returns how to take it off the list again. */
  add(socket: OpenSocket): () => void {
    this.#open.add(socket);
    return () => {
      this.#open.delete(socket);
    };
  }

  trackUdp(socket: UdpSocket): UdpSocket {
    const remove = this.add({
      flowId: socket.grant.flowId,
      transport: "udp",
      interfaceName: socket.grant.interfaceName,
      localAddress: socket.localAddress,
      localPort: socket.localPort,
      groups: socket.grant.side === "listen" ? socket.grant.groups : [],
    });
    const close = socket.close.bind(socket);
    return Object.assign(socket, {
      close: async (): Promise<void> => {
        remove();
        await close();
      },
    });
  }
}

/** Every socket of this process. The kernel's own table is per process too, and the two are compared. */
export const processSockets = new OpenSocketList();
