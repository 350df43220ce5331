import type { Ipv4Address } from "#wire/address/ipv4-address.ts";

export type GroupPort = { readonly group: Ipv4Address; readonly port: number };

/**
 * The (group, port) pair for a new session: first pass every group on the first port, then the next port. `null`
 * when all are in use: the session waits.
 */
export function allocatePair(
  groups: readonly Ipv4Address[],
  ports: readonly number[],
  inUse: readonly GroupPort[],
): GroupPort | null {
  for (const port of ports) {
    for (const group of groups) {
      if (!inUse.some((pair) => pair.group === group && pair.port === port)) {
        return { group, port };
      }
    }
  }
  return null;
}
