import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Inodes of sockets bound to a port, from the kernel's table. */
function findInodes(transport: "udp" | "tcp", port: number): Set<string> {
  const inodes = new Set<string>();
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const table of [`/proc/net/${transport}`, `/proc/net/${transport}6`]) {
    const lines = readLines(table);
    for (const line of lines.slice(1)) {
      const fields = line.trim().split(/\s+/);
      const inode = fields[9];
      if (fields[1]?.endsWith(suffix) === true && inode !== undefined) {
        inodes.add(inode);
      }
    }
  }
  return inodes;
}

/** A process may end while we look at it; then it has nothing to say. */
function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      return [];
    }
    throw error;
  }
}

function listDescriptors(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      return [];
    }
    throw error;
  }
}

/** `dnsmasq (process 1234)`, or `null` when the holder cannot be seen from here. */
export function findPortHolder(transport: "udp" | "tcp", port: number): string | null {
  const inodes = findInodes(transport, port);
  if (inodes.size === 0) {
    return null;
  }
  // Ourselves last: with one socket for each interface we often hold the port elsewhere.
  const own = String(process.pid);
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && name !== own);
  for (const pid of [...others, own]) {
    const isHolder = listDescriptors(pid).some((target) => {
      const match = /^socket:\[(\d+)\]$/.exec(target);
      return match?.[1] !== undefined && inodes.has(match[1]);
    });
    if (isHolder) {
      const name = readLines(`/proc/${pid}/comm`)[0] ?? "a program";
      return `${name} (process ${pid})`;
    }
  }
  return null;
}
