import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export type HeldPort = { readonly transport: "udp" | "tcp"; readonly port: number; readonly program: string };

/** Processes end while we look at them; then they have nothing to say. */
function orNothing<Value>(read: () => Value, nothing: Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      return nothing;
    }
    throw error;
  }
}

const listening = { tcp: "0A", udp: "07" } as const;

/** Inode of each listening socket on one of these ports. */
function findSockets(
  ports: readonly { readonly transport: "udp" | "tcp"; readonly port: number }[],
): Map<string, { readonly transport: "udp" | "tcp"; readonly port: number }> {
  const found = new Map<string, { readonly transport: "udp" | "tcp"; readonly port: number }>();
  for (const transport of ["tcp", "udp"] as const) {
    const lines = ["", "6"].flatMap((family) =>
      orNothing(() => readFileSync(`/proc/net/${transport}${family}`, "utf8"), "")
        .split("\n")
        .slice(1),
    );
    for (const line of lines) {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      const port = Number.parseInt(local.split(":")[1] ?? "", 16);
      const wanted = ports.find((candidate) => candidate.transport === transport && candidate.port === port);
      if (wanted !== undefined && inode !== undefined && state === listening[transport]) {
        found.set(`socket:[${inode}]`, wanted);
      }
    }
  }
  return found;
}

/**
 * Other programs that listen on these ports, on whichever interface, in one look at the kernel's tables. Without root
 * only programs of the same user are seen. Each program is named once for a port.
 */
export function listPortHolders(
  ports: readonly { readonly transport: "udp" | "tcp"; readonly port: number }[],
): HeldPort[] {
  const sockets = findSockets(ports);
  const holders = new Map<string, HeldPort>();
  const pids = orNothing(() => readdirSync("/proc"), []).filter((name) => /^\d+$/.test(name));
  for (const pid of pids.filter((candidate) => candidate !== String(process.pid))) {
    for (const descriptor of orNothing(() => readdirSync(`/proc/${pid}/fd`), [])) {
      const held = sockets.get(orNothing(() => readlinkSync(`/proc/${pid}/fd/${descriptor}`), ""));
      if (held !== undefined) {
        const name = orNothing(() => readFileSync(`/proc/${pid}/comm`, "utf8"), "a program").trim();
        const program = `${name} (process ${pid})`;
        holders.set(`${held.transport} ${held.port} ${program}`, { ...held, program });
      }
    }
  }
  return [...holders.values()];
}
