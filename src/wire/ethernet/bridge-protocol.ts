import { ByteReader } from "../bytes/byte-reader.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * An 802.3 frame (a size in place of the EtherType) to 01:80:c2:00:00:00:
 *
 * offset size field
 *     14    3 LLC 42 42 03
 *     17    2 protocol, 0
 *     19    1 version: 0 STP, 2 RSTP, 3 MSTP
 *     20    1 type: 0x00 configuration, 0x02 rapid or multiple
 *     21    1 flags
 *     22    8 root bridge    30 4 cost    34 8 bridge    42 2 port
 *     44    2 message age    46 2 maximum age    48 2 hello time, each in 1/256 s
 *     50    2 forward delay, in 1/256 s
 */
const llcSpanningTree = 0x424203;
const bridgeGroup = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x00];

/**
 * How long a port of this bridge waits in each of the states listening and learning, in seconds, when the frame is a
 * bridge's configuration message; otherwise `null`.
 *
 * @see IEEE 802.1D-2004 §9.3
 */
export function readForwardDelaySeconds(frame: Uint8Array): number | null {
  if (!bridgeGroup.every((byte, index) => frame[index] === byte)) {
    return null;
  }
  try {
    const reader = new ByteReader(frame);
    reader.skip(14, "Ethernet header");
    const llc = (reader.uint8("LLC") << 16) | reader.uint16("LLC");
    const protocol = reader.uint16("protocol");
    reader.skip(1, "version");
    const type = reader.uint8("type");
    if (llc !== llcSpanningTree || protocol !== 0 || (type !== 0x00 && type !== 0x02)) {
      return null;
    }
    reader.skip(29, "identifiers and times");
    return Math.round(reader.uint16("forward delay") / 256);
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}
