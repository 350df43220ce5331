import { WireError } from "../bytes/wire-error.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import type { CapturedFrame } from "./captured-frame.ts";
import { readPcap } from "./pcap-file.ts";
import { isPcapng, readPcapng } from "./pcapng-file.ts";

/**
 * Reads a capture file of either format, one frame at a time.
 *
 * @param bytes The whole file.
 * @throws WireError `truncated` | `bad-magic` | `bad-length` | `bad-value` | `too-long`, while iterating; frames
 *   before the damage have been given out by then
 */
export function* readCapture(bytes: Uint8Array): Generator<CapturedFrame, void> {
  if (bytes.byteLength < 4) {
    const sizes = { needBytes: 4, haveBytes: bytes.byteLength };
    throw new WireError({ code: "truncated", field: "capture file", offset: 0, ...sizes });
  }
  yield* isPcapng(new ByteReader(bytes).uint32("magic")) ? readPcapng(bytes) : readPcap(bytes);
}
