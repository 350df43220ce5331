import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";
import type { DhcpOption } from "./dhcp-options.ts";
import { optionCodes } from "./option-codes.ts";

/*
 * One option on the wire:
 *   0  1  code     0 = pad and 255 = end stand alone, without size and value
 *   1  1  size     of the value, 0-255
 *   2  n  value
 */

/**
 * Collects the options of the areas of one message, joining the pieces of an option that appears more than once.
 * Key: option code. BOUNDED by 254 codes and by the size of the message.
 *
 * @see RFC 3396 §7 (order of the areas: options, `file`, `sname`)
 */
export class OptionCollector {
  readonly #pieces = new Map<number, Uint8Array[]>();

  /**
   * Reads one area up to its end option. An area without an end option is taken as ended by its last byte, as the
   * common servers do; an option that runs past the last byte is an error.
   *
   * @throws WireError `option-past-end`
   */
  readArea(bytes: Uint8Array, field: string, fieldOffset: number): void {
    const reader = new ByteReader(bytes);
    while (reader.remainingBytes > 0) {
      const optionOffset = fieldOffset + reader.offset;
      const code = reader.uint8(field);
      if (code === optionCodes.pad) {
        continue;
      }
      if (code === optionCodes.end) {
        return;
      }
      const needBytes = reader.remainingBytes === 0 ? 1 : reader.uint8(field);
      if (needBytes > reader.remainingBytes) {
        throw new WireError({
          code: "option-past-end",
          field,
          offset: optionOffset,
          needBytes,
          haveBytes: reader.remainingBytes,
          detail: `option ${code}`,
        });
      }
      const pieces = this.#pieces.get(code) ?? [];
      pieces.push(reader.view(needBytes, field));
      this.#pieces.set(code, pieces);
    }
  }

  /** Copies of the values, in first-seen order. */
  finish(): DhcpOption[] {
    return Array.from(this.#pieces, ([code, pieces]) => ({ code, bytes: joinBytes(pieces) }));
  }
}

/** Bytes an option takes when its value is cut into pieces of at most 255 bytes. */
export function encodedOptionSizeBytes(option: DhcpOption): number {
  const pieceCount = Math.max(1, Math.ceil(option.bytes.byteLength / 255));
  return option.bytes.byteLength + 2 * pieceCount;
}

/** Writes an option, as several of the same code when its value is longer than 255 bytes. RFC 3396 §5 */
export function writeOption(writer: ByteWriter, option: DhcpOption): void {
  let offset = 0;
  do {
    const piece = option.bytes.subarray(offset, offset + 255);
    writer.uint8(option.code).uint8(piece.byteLength).put(piece);
    offset += piece.byteLength;
  } while (offset < option.bytes.byteLength);
}

function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(pieces.reduce((sum, piece) => sum + piece.byteLength, 0) || 1);
  for (const piece of pieces) {
    writer.put(piece);
  }
  return writer.finish();
}
