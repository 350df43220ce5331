import { WireError } from "./wire-error.ts";

const textDecoder = new TextDecoder("utf-8");

/**
 * Reads big-endian fields from a view and fails, never clamps, on short input.
 *
 * Every method takes the field's name so that the error can name it.
 * @throws WireError `truncated`
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remainingBytes(): number {
    return this.bytes.byteLength - this.#offset;
  }

  uint8(field: string): number {
    return this.#view.getUint8(this.#advance(1, field));
  }

  uint16(field: string): number {
    return this.#view.getUint16(this.#advance(2, field));
  }

  /** Little-endian: PXE's MTFTP ports and pcap files use Intel order. */
  uint16LittleEndian(field: string): number {
    return this.#view.getUint16(this.#advance(2, field), true);
  }

  uint32(field: string): number {
    return this.#view.getUint32(this.#advance(4, field));
  }

  uint32LittleEndian(field: string): number {
    return this.#view.getUint32(this.#advance(4, field), true);
  }

  uint64(field: string): bigint {
    return this.#view.getBigUint64(this.#advance(8, field));
  }

  /** A view (not a copy) of the next `sizeBytes` bytes. */
  view(sizeBytes: number, field: string): Uint8Array {
    const start = this.#advance(sizeBytes, field);
    return this.bytes.subarray(start, start + sizeBytes);
  }

  /** A copy of the next `sizeBytes` bytes. */
  copy(sizeBytes: number, field: string): Uint8Array {
    // Not `slice`: of a Buffer, which sockets give, that is a view.
    return Uint8Array.from(this.view(sizeBytes, field));
  }

  /** Everything that is left, as a view. */
  rest(): Uint8Array {
    return this.view(this.remainingBytes, "rest");
  }

  skip(sizeBytes: number, field: string): void {
    this.#advance(sizeBytes, field);
  }

  /** Text up to a NUL inside the next `sizeBytes` bytes, or all of them. UTF-8, invalid bytes replaced. */
  fixedText(sizeBytes: number, field: string): string {
    const raw = this.view(sizeBytes, field);
    const end = raw.indexOf(0);
    return textDecoder.decode(end === -1 ? raw : raw.subarray(0, end));
  }

  /** Text up to and without the next NUL, which must be there. */
  nulTerminatedText(field: string): string {
    const end = this.bytes.indexOf(0, this.#offset);
    if (end === -1) {
      throw new WireError({
        code: "truncated",
        field,
        offset: this.#offset,
        needBytes: this.remainingBytes + 1,
        haveBytes: this.remainingBytes,
      });
    }
    const raw = this.bytes.subarray(this.#offset, end);
    this.#offset = end + 1;
    return textDecoder.decode(raw);
  }

  #advance(sizeBytes: number, field: string): number {
    const start = this.#offset;
    if (sizeBytes < 0 || this.remainingBytes < sizeBytes) {
      throw new WireError({
        code: "truncated",
        field,
        offset: start,
        needBytes: sizeBytes,
        haveBytes: this.remainingBytes,
      });
    }
    this.#offset += sizeBytes;
    return start;
  }
}
