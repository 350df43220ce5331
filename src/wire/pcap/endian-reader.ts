import { ByteReader } from "../bytes/byte-reader.ts";

/** Reads the fields of a capture in the byte order of the computer that wrote it. */
export class EndianReader extends ByteReader {
  readonly isLittleEndian: boolean;

  constructor(bytes: Uint8Array, isLittleEndian: boolean) {
    super(bytes);
    this.isLittleEndian = isLittleEndian;
  }

  /** @throws WireError `truncated` */
  u16(field: string): number {
    return this.isLittleEndian ? this.uint16LittleEndian(field) : this.uint16(field);
  }

  /** @throws WireError `truncated` */
  u32(field: string): number {
    return this.isLittleEndian ? this.uint32LittleEndian(field) : this.uint32(field);
  }
}
