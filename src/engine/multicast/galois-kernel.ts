/*
 * One loop in WebAssembly SIMD: dst ^= c · src over GF(2^8), 16 bytes at a time. A byte's product is the sum of two
 * looked up in tables of 16, one for each half of the byte. The module is so small that it is written out here; the
 * right column is what the bytes mean. WebAssembly core specification 2.0, §5.
 */
const body = [
  ...[0x01, 0x03, 0x7b], // (local $lo v128) (local $hi v128) (local $s v128)
  ...[0x20, 2, 0xfd, 0x00, 0, 0, 0x21, 4], // $lo = v128.load($table)
  ...[0x20, 2, 0xfd, 0x00, 0, 16, 0x21, 5], // $hi = v128.load($table + 16)
  ...[0x03, 0x40], // loop
  ...[0x20, 0], // $dst, for the store
  ...[0x20, 0, 0xfd, 0x00, 0, 0], // v128.load($dst)
  ...[0x20, 4], // $lo
  ...[0x20, 1, 0xfd, 0x00, 0, 0, 0x22, 6], // $s = v128.load($src)
  ...[0xfd, 0x0c, ...Array<number>(16).fill(0x0f), 0xfd, 0x4e], // v128.and 0x0f…
  ...[0xfd, 0x0e, 0xfd, 0x51], // i8x16.swizzle, v128.xor
  ...[0x20, 5, 0x20, 6, 0x41, 4, 0xfd, 0x6d], // $hi, i8x16.shr_u($s, 4)
  ...[0xfd, 0x0e, 0xfd, 0x51], // i8x16.swizzle, v128.xor
  ...[0xfd, 0x0b, 0, 0], // v128.store
  ...[0x20, 1, 0x41, 16, 0x6a, 0x21, 1], // $src += 16
  ...[0x20, 0, 0x41, 16, 0x6a, 0x22, 0], // $dst += 16
  ...[0x20, 3, 0x49, 0x0d, 0], // br_if $dst < $end
  ...[0x0b, 0x0b], // end, end
];

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** LEB128 of what needs at most 14 bits. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7];
}

function text(value: string): number[] {
  return [value.length, ...Array.from(value, (letter) => letter.charCodeAt(0))];
}

const moduleBytes = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
  ...section(1, [1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 0]), // type: (i32 i32 i32 i32) -> ()
  ...section(3, [1, 0]), // one function of that type
  ...section(5, [1, 0, 16]), // one memory of at least 16 pages
  ...section(7, [2, ...text("memory"), 2, 0, ...text("addScaled"), 0, 0]), // exports
  ...section(10, [1, ...unsigned(body.length), ...body]),
]);

/** Of every JavaScript engine, but declared only in the types of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

export type GaloisKernel = {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pageCount: number): number };
  /** dst … end ^= c · src …; all are places in `memory`, `table` that of c's 32 bytes, `end - dst` a multiple of 16. */
  readonly addScaled: (dst: number, src: number, table: number, end: number) => void;
};

/** The SIMD loop, or where the processor is too old for it (before SSE 4.1), the same in plain arithmetic. */
export function createGaloisKernel(): GaloisKernel {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes));
    // What the module above exports; the engine's types cannot know.
    return exports as GaloisKernel;
  } catch {
    return createPlainKernel();
  }
}

const pageSizeBytes = 65_536;

/** Byte by byte: ten times slower, on any processor. */
export function createPlainKernel(): GaloisKernel {
  let bytes = new Uint8Array(16 * pageSizeBytes);
  const products = new Uint8Array(256);
  return {
    memory: {
      get buffer() {
        return bytes.buffer;
      },
      grow(pageCount) {
        const before = bytes;
        bytes = new Uint8Array(before.byteLength + pageCount * pageSizeBytes);
        bytes.set(before);
        return before.byteLength / pageSizeBytes;
      },
    },
    addScaled(dst, src, table, end) {
      const factors = bytes.subarray(table, table + 32);
      for (let value = 0; value < 256; value += 1) {
        products[value] = (factors[value & 15] ?? 0) ^ (factors[16 + (value >> 4)] ?? 0);
      }
      const source = bytes.subarray(src, src + end - dst);
      const target = bytes.subarray(dst, end);
      for (let place = 0; place < target.length; place += 1) {
        target[place] = (target[place] ?? 0) ^ (products[source[place] ?? 0] ?? 0);
      }
    },
  };
}
