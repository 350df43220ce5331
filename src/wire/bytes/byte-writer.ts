const textEncoder = new TextEncoder();

/** Builds a message from big-endian fields. Grows as needed; `finish` returns exactly the bytes written. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #offset = 0;

  constructor(initialSizeBytes = 512) {
    this.#bytes = new Uint8Array(initialSizeBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get offset(): number {
    return this.#offset;
  }

  uint8(value: number): this {
    const start = this.#reserve(1);
    this.#view.setUint8(start, value);
    return this;
  }

  uint16(value: number): this {
    const start = this.#reserve(2);
    this.#view.setUint16(start, value);
    return this;
  }

  uint16LittleEndian(value: number): this {
    const start = this.#reserve(2);
    this.#view.setUint16(start, value, true);
    return this;
  }

  uint32(value: number): this {
    const start = this.#reserve(4);
    this.#view.setUint32(start, value);
    return this;
  }

  uint32LittleEndian(value: number): this {
    const start = this.#reserve(4);
    this.#view.setUint32(start, value, true);
    return this;
  }

  uint64(value: bigint): this {
    const start = this.#reserve(8);
    this.#view.setBigUint64(start, value);
    return this;
  }

  put(bytes: Uint8Array): this {
    const start = this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, start);
    return this;
  }

  zeros(sizeBytes: number): this {
    const start = this.#reserve(sizeBytes);
    this.#bytes.fill(0, start, start + sizeBytes);
    return this;
  }

  /** UTF-8 text padded with NULs to `sizeBytes`. The caller has checked that it fits. */
  fixedText(text: string, sizeBytes: number): this {
    const encoded = textEncoder.encode(text);
    if (encoded.byteLength > sizeBytes) {
      throw new RangeError(`text of ${encoded.byteLength} bytes does not fit a field of ${sizeBytes}`);
    }
    return this.put(encoded).zeros(sizeBytes - encoded.byteLength);
  }

  nulTerminatedText(text: string): this {
    return this.put(textEncoder.encode(text)).uint8(0);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#offset);
  }

  #reserve(sizeBytes: number): number {
    const start = this.#offset;
    const end = start + sizeBytes;
    if (end > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.byteLength * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#offset = end;
    return start;
  }
}
