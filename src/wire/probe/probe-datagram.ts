import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * | offset | size | field                                                        |
 * | ------ | ---- | ------------------------------------------------------------ |
 * | 0      | 4    | magic, "PTLP"                                                |
 * | 4      | 1    | version, 1                                                   |
 * | 5      | 1    | TTL that the sender gave it                                  |
 * | 6      | 2    | zero                                                         |
 * | 8      | 4    | token of the probe, told over the control connection          |
 * | 12     | 4    | sequence, from 1, for each (group, port) pair                |
 * | 16     | …    | zeros up to the size wanted                                  |
 *
 * It can be told from a datagram of an imaging session by its magic, so a probe disturbs no session.
 */
const magic = 0x50544c50;
const version = 1;

export const probeDatagramSizeBytesMin = 16;

/** One numbered datagram of a multicast probe. */
export type ProbeDatagram = {
  readonly token: number;
  readonly sequence: number;
  readonly ttl: number;
};

/** @param sizeBytes of the datagram's payload */
export function encodeProbeDatagram(probe: ProbeDatagram, sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new ByteWriter(sizeBytes)
    .uint32(magic)
    .uint8(version)
    .uint8(probe.ttl)
    .uint16(0)
    .uint32(probe.token)
    .uint32(probe.sequence)
    .zeros(Math.max(0, sizeBytes - probeDatagramSizeBytesMin))
    .finish();
}

/** @throws WireError `truncated` | `bad-magic` | `unsupported-version` | `bad-value` */
export function decodeProbeDatagram(bytes: Uint8Array): ProbeDatagram {
  const reader = new ByteReader(bytes);
  if (reader.uint32("magic") !== magic) {
    throw new WireError({ code: "bad-magic", field: "magic", offset: 0 });
  }
  const found = reader.uint8("version");
  if (found !== version) {
    throw new WireError({ code: "unsupported-version", field: "version", offset: 4, detail: String(found) });
  }
  const ttl = reader.uint8("ttl");
  reader.skip(2, "reserved");
  const token = reader.uint32("token");
  const sequence = reader.uint32("sequence");
  if (sequence === 0) {
    throw new WireError({ code: "bad-value", field: "sequence", offset: 12, detail: "0" });
  }
  return { token, sequence, ttl };
}
