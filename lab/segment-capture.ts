import { readFile } from "node:fs/promises";
import { linkTypes } from "#wire/pcap/captured-frame.ts";
import { readCapture } from "#wire/pcap/read-capture.ts";
import { type SegmentNetwork, switchName } from "./segment-network.ts";

/** Everything but the bulk: boot and DHCP datagrams, ARP, ICMP, IGMP, and the beginning and end of connections. */
const withoutBulk =
  "arp or icmp or igmp or (udp and not dst net 224.0.0.0/4) or (tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0)";

/**
 * Records what crosses a segment into a file for any capture reader.
 *
 * @param filter tcpdump's language, see pcap-filter(7).
 */
export function captureSegment(
  network: SegmentNetwork,
  segment: string,
  path: string,
  filter: string = withoutBulk,
): void {
  // -U: each frame is in the file at once, so that a scenario can read it while the capture goes on.
  const args = ["-i", segment, "-n", "-U", "-Z", "root", "-s", "1600", "-w", path, filter];
  network.spawnOn(switchName, "tcpdump", args, `${path}.log`);
}

/**
 * Frames in a capture that hold one of these byte strings.
 *
 * @returns how many frames were read, and how many of them hold it.
 */
export async function countFramesWith(
  path: string,
  needles: readonly Uint8Array[],
): Promise<{ readonly frameCount: number; readonly foundCount: number }> {
  let frameCount = 0;
  let foundCount = 0;
  for (const frame of readCapture(await readFile(path))) {
    if (frame.linkType !== linkTypes.ethernet) {
      continue;
    }
    frameCount += 1;
    const bytes = Buffer.from(frame.bytes.buffer, frame.bytes.byteOffset, frame.bytes.byteLength);
    if (needles.some((needle) => bytes.includes(needle))) {
      foundCount += 1;
    }
  }
  return { frameCount, foundCount };
}
