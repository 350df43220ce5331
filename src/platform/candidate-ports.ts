import { randomInt } from "node:crypto";
import type { SocketGrant } from "#plan/socket-grant.ts";

/** A taken port is passed over this many times; then the range counts as full. */
const attemptCountMax = 256;

const systemRandom = (): number => randomInt(2 ** 32) / 2 ** 32;

/**
 * Ports to try for a grant, in order: its fixed port, or ports of its range from a random start (`random` gives numbers from 0 up to 1). A range that covers
 * all dynamic ports is left to the kernel (port 0).
 */
export function candidatePorts(
  grant: Pick<SocketGrant, "localPort" | "localPortRange">,
  random: () => number = systemRandom,
): number[] {
  const range = grant.localPortRange;
  if (grant.localPort !== 0 || range === null || (range.from <= 1025 && range.to === 65535)) {
    return [grant.localPort];
  }
  const count = range.to - range.from + 1;
  const start = Math.floor(random() * count);
  return Array.from(
    { length: Math.min(count, attemptCountMax) },
    (_, index) => range.from + ((start + index) % count),
  );
}
