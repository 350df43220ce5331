import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * | offset | size | field                                    |
 * | ------ | ---- | ---------------------------------------- |
 * | 0      | 4    | size of what follows, big-endian         |
 * | 4      | 1    | version, 1                               |
 * | 5      | …    | one JSON object, UTF-8                   |
 */
const version = 1;

/** What a peer may send before and after it is authenticated. */
export const frameSizeBytesMax = { beforeAuthentication: 64 << 10, afterAuthentication: 1 << 20 } as const;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder("utf-8", { fatal: true });

/** @throws WireError `too-long` */
export function encodeFrame(message: object): Uint8Array<ArrayBuffer> {
  const body = textEncoder.encode(JSON.stringify(message));
  if (body.byteLength + 1 > frameSizeBytesMax.afterAuthentication) {
    throw new WireError({ code: "too-long", field: "frame", offset: 0, haveBytes: body.byteLength });
  }
  return new ByteWriter(body.byteLength + 5)
    .uint32(body.byteLength + 1)
    .uint8(version)
    .put(body)
    .finish();
}

/**
 * Cuts a byte stream into frames. Holds at most one incomplete frame, BOUNDED by `sizeBytesMax`.
 *
 * @throws WireError `too-long` | `unsupported-version` | `bad-value`; the connection must then be closed
 */
export class FrameReader {
  /** Raised once the peer is authenticated. */
  sizeBytesMax: number = frameSizeBytesMax.beforeAuthentication;
  #pending: Uint8Array = new Uint8Array(0);

  /** The JSON values that are complete now. */
  push(bytes: Uint8Array): unknown[] {
    const joined = new Uint8Array(this.#pending.byteLength + bytes.byteLength);
    joined.set(this.#pending);
    joined.set(bytes, this.#pending.byteLength);
    const values: unknown[] = [];
    let offset = 0;
    while (joined.byteLength - offset >= 4) {
      const sizeBytes = new DataView(joined.buffer).getUint32(offset);
      if (sizeBytes < 2 || sizeBytes > this.sizeBytesMax) {
        throw new WireError({ code: "too-long", field: "frame size", offset, haveBytes: sizeBytes });
      }
      if (joined.byteLength - offset - 4 < sizeBytes) {
        break;
      }
      values.push(decodeBody(joined.subarray(offset + 4, offset + 4 + sizeBytes)));
      offset += 4 + sizeBytes;
    }
    this.#pending = joined.slice(offset);
    return values;
  }
}

function decodeBody(body: Uint8Array): unknown {
  if (body[0] !== version) {
    throw new WireError({
      code: "unsupported-version",
      field: "version",
      offset: 4,
      detail: String(body[0]),
    });
  }
  try {
    return JSON.parse(textDecoder.decode(body.subarray(1)));
  } catch {
    throw new WireError({ code: "bad-value", field: "JSON", offset: 5 });
  }
}
