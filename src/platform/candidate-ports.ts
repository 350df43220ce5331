import { randomInt } from "node:crypto";
import type { SocketGrant } from "#plan/socket-grant.ts";

/** A taken port is passed over this many times; then the range counts as full. */
const attemptCountMax = 256;

/**
 * Ports to try for a grant, in order: its fixed port, or ports of its range from a random start. A range that covers
 * all dynamic ports is left to the kernel (port 0).
 */
export function candidatePorts(grant: Pick<SocketGrant, "localPort" | "localPortRange">): number[] {
  const range = grant.localPortRange;
  if (grant.localPort !== 0 || range === null || (range.from <= 1025 && range.to === 65535)) {
    return [grant.localPort];
  }
  const count = range.to - range.from + 1;
  const start = randomInt(count);
  return Array.from(
    { length: Math.min(count, attemptCountMax) },
    (_, index) => range.from + ((start + index) % count),
  );
}
