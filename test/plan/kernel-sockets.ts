import { execFileSync } from "node:child_process";

/** A socket as the kernel reports it. */
export type KernelSocket = {
  readonly transport: "udp" | "tcp";
  /** Interface it is bound to; `null`: to an address only. */
  readonly interfaceName: string | null;
  readonly address: string;
  readonly port: number;
};

/** Bound UDP sockets and TCP listeners of one process in this network namespace, from `ss`. */
export function readKernelSockets(pid: number): KernelSocket[] {
  const text = execFileSync("ss", ["-H", "-n", "-t", "-u", "-l", "-p"], { encoding: "utf8" });
  return text
    .split("\n")
    .filter((line) => line.includes(`pid=${pid},`))
    .map((line) => {
      const [transport, , , , local = ""] = line.trim().split(/\s+/);
      const match = /^\[?(?:::ffff:)?([0-9.*]+)\]?(?:%([^:]+))?:(\d+)$/.exec(local);
      if (match === null || (transport !== "udp" && transport !== "tcp")) {
        throw new Error(`a line of ss that is not understood: ${line}`);
      }
      const [, address = "", interfaceName = null, port] = match;
      return { transport, interfaceName, address: address.replace("*", "0.0.0.0"), port: Number(port) };
    });
}

/** Groups joined in this namespace, as `interface group`, without the one that every host is in. */
export function readKernelGroups(): string[] {
  const text = execFileSync("ip", ["-4", "maddr", "show"], { encoding: "utf8" });
  let interfaceName = "";
  const groups: string[] = [];
  for (const line of text.split("\n")) {
    interfaceName = /^\d+:\s+(\S+)/.exec(line)?.[1] ?? interfaceName;
    const group = /^\s+inet\s+(\S+)/.exec(line)?.[1];
    if (group !== undefined && group !== "224.0.0.1") {
      groups.push(`${interfaceName} ${group}`);
    }
  }
  return groups;
}
