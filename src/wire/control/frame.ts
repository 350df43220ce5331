import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * | offset | size | field                                    |
 * | ------ | ---- | ---------------------------------------- |
 * | 0      | 4    | size of what follows, big-endian         |
 * | 4      | 1    | 1: an object, 2: bytes                   |
 * | 5      | …    | one JSON object, UTF-8, or the bytes     |
 */
const version = 1;
/** Only on connections that carry a terminal or a file. */
const bytesVersion = 2;

/** What a peer may send before and after it is authenticated. */
export const frameSizeBytesMax = { beforeAuthentication: 64 << 10, afterAuthentication: 1 << 20 } as const;

const pieceCountMax = 256;

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

/** Bytes as they are, for a reader that takes them. @throws WireError `too-long` */
export function encodeBytesFrame(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength + 1 > frameSizeBytesMax.afterAuthentication) {
    throw new WireError({ code: "too-long", field: "frame", offset: 0, haveBytes: bytes.byteLength });
  }
  return new ByteWriter(bytes.byteLength + 5)
    .uint32(bytes.byteLength + 1)
    .uint8(bytesVersion)
    .put(bytes)
    .finish();
}

/**
 * Cuts a byte stream into frames. Holds at most one incomplete frame, BOUNDED by `sizeBytesMax`; the bytes of a frame are
 * joined once, however small the pieces they come in. Yields the JSON value of each frame, and a `Uint8Array` where bytes
 * were announced.
 *
 * @throws WireError `too-long` | `unsupported-version` | `bad-value`; the connection must then be closed
 */
export class FrameReader {
  /** Raised once the peer is authenticated. */
  sizeBytesMax: number = frameSizeBytesMax.beforeAuthentication;
  /** Whether frames of bytes are taken; each is given out as a `Uint8Array`. */
  takesBytes = false;
  #pieces: Uint8Array[] = [];
  #pendingBytes = 0;
  /** Bytes needed before there is something to do: the size field, then the frame; or announced bytes. */
  #neededBytes = 4;
  #isRaw = false;

  /**
   * The next item after the one just yielded is not a frame but so many bytes as they are, which that frame announced.
   * The caller has checked the number against its bound.
   */
  expectBytes(sizeBytes: number): void {
    this.#neededBytes = sizeBytes;
    this.#isRaw = true;
  }

  /** Stops early when the caller stops iterating: the size bound may change from one frame to the next. */
  *push(bytes: Uint8Array): Generator<unknown, void, undefined> {
    this.#pieces.push(bytes);
    this.#pendingBytes += bytes.byteLength;
    if (this.#pieces.length > pieceCountMax) {
      // Many small pieces would hold more memory than their bytes.
      this.#join();
    }
    while (this.#pendingBytes >= this.#neededBytes) {
      const joined = this.#join();
      if (this.#isRaw) {
        const rawSizeBytes = this.#neededBytes;
        this.#isRaw = false;
        this.#neededBytes = 4;
        this.#pieces = [joined.subarray(rawSizeBytes)];
        this.#pendingBytes -= rawSizeBytes;
        yield joined.subarray(0, rawSizeBytes);
        continue;
      }
      const sizeBytes = new DataView(joined.buffer, joined.byteOffset).getUint32(0);
      if (sizeBytes < 2 || sizeBytes > this.sizeBytesMax) {
        throw new WireError({ code: "too-long", field: "frame size", offset: 0, haveBytes: sizeBytes });
      }
      this.#neededBytes = 4 + sizeBytes;
      if (joined.byteLength < this.#neededBytes) {
        return;
      }
      this.#pieces = [joined.subarray(this.#neededBytes)];
      this.#pendingBytes -= this.#neededBytes;
      this.#neededBytes = 4;
      const body = joined.subarray(4, 4 + sizeBytes);
      yield this.takesBytes && body[0] === bytesVersion ? body.subarray(1) : decodeBody(body);
    }
  }

  #join(): Uint8Array {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first !== undefined) {
      return first;
    }
    const joined = new Uint8Array(this.#pendingBytes);
    let offset = 0;
    for (const piece of this.#pieces) {
      joined.set(piece, offset);
      offset += piece.byteLength;
    }
    this.#pieces = [joined];
    return joined;
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
