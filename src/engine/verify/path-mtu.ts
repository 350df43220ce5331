import type { SegmentEvidence } from "./evidence.ts";

/** What Ethernet carries; what is tried reaches up to it. */
export const fullPacketSizeBytes = 1500;

/** Sizes of whole IP packets that are tried without leave to fragment: common links and tunnels. */
export const triedPacketSizes = [
  1500, 1492, 1480, 1472, 1460, 1450, 1438, 1420, 1400, 1380, 1280, 576,
] as const;

/** The largest packet that got to the server; `null` when none did, or none was tried. */
export function largestPacketSizeBytes(evidence: SegmentEvidence): number | null {
  const { tftp } = evidence;
  if (tftp === null || tftp.type === "not-tried" || tftp.sighting.answeredSizes.length === 0) {
    return null;
  }
  return Math.max(...tftp.sighting.answeredSizes);
}

/** The path MTU when it is smaller than what both ends take for granted, otherwise `null`. */
export function reducedPathMtuBytes(evidence: SegmentEvidence): number | null {
  const largest = largestPacketSizeBytes(evidence);
  return largest === null || largest >= fullPacketSizeBytes ? null : largest;
}

/** How a path MTU below the usual is mended; there is no line of a packet filter for it. */
export function pathMtuRemedy(evidence: SegmentEvidence, mtuBytes: number): string {
  const { segment, arrivals } = evidence;
  const server = segment.interfaceName ?? arrivals.tftp[0]?.interfaceName ?? "INTERFACE";
  return (
    `raise the MTU to ${fullPacketSizeBytes} on every link to ${segment.name}; ` +
    `or, on the server: ip link set dev ${server} mtu ${mtuBytes}`
  );
}
