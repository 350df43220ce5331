import { rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";

/**
 * The console of a server inside the lab, reached from outside: a port of the machine leads to a socket file, and the
 * socket file, opened in the server's namespace, to the console. Namespaces keep networks apart, not files.
 */
export function openOuterDoor(port: number, socketPath: string): Promise<void> {
  return open({ host: "127.0.0.1", port }, () => createConnection(socketPath));
}

async function openInnerDoor(socketPath: string, port: number): Promise<void> {
  await rm(socketPath, { force: true });
  await open({ path: socketPath }, () => createConnection({ host: "127.0.0.1", port }));
}

function open(at: { host: string; port: number } | { path: string }, connect: () => Socket): Promise<void> {
  const server = createServer((guest) => {
    const inside = connect();
    const end = (): void => {
      guest.destroy();
      inside.destroy();
    };
    guest.once("error", end).once("close", end);
    inside.once("error", end).once("close", end);
    guest.pipe(inside).pipe(guest);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => resolve());
  });
}

const [socketPath, port] = process.argv.slice(2);
if (import.meta.main && socketPath !== undefined) {
  await openInnerDoor(socketPath, Number(port));
}
