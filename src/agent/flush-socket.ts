import type { TLSSocket } from "node:tls";

/** Ends the connection; what was sent has left this computer then, as far as it can know. */
export async function flushSocket(socket: TLSSocket | null): Promise<void> {
  if (socket === null) {
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 2000);
    socket.end(() => {
      clearTimeout(timer);
      setTimeout(resolve, 200);
    });
  });
}
