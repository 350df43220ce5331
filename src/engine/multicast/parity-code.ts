import { stripeCount } from "#wire/multicast/data-packet.ts";
import { createGaloisKernel, type GaloisKernel } from "./galois-kernel.ts";

/*
 * Reed–Solomon over GF(2^8), polynomial 0x11d, by a Cauchy matrix: parity block j of a stripe is the sum over its data
 * blocks i of block i / ((255 - j) ^ i). Any e parity blocks restore any e lacking data blocks.
 */
const exponents = new Uint8Array(512);
const logarithms = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power += 1) {
  exponents[power] = value;
  exponents[power + 255] = value;
  logarithms[value] = power;
  value = value & 0x80 ? ((value << 1) ^ 0x11d) & 0xff : value << 1;
}

function at(table: Uint8Array, index: number): number {
  return table[index] ?? 0;
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : at(exponents, at(logarithms, a) + at(logarithms, b));
}

function invert(a: number): number {
  return at(exponents, 255 - at(logarithms, a));
}

function coefficient(parityIndex: number, place: number): number {
  return invert((255 - parityIndex) ^ place);
}

/** More of one stripe is not worth the arithmetic: the blocks themselves are sent. */
const parityOfStripeMax = 64;
const tableSizeBytes = 32;
const firstRow = 256 * tableSizeBytes;
const pageSizeBytes = 65_536;

/** Parity blocks a stripe can have, so that data and parity together have different coefficients. */
export function parityCountMax(frameSizeBytes: number, blockSizeBytes: number): number {
  const dataCount = Math.ceil(Math.ceil(frameSizeBytes / blockSizeBytes) / stripeCount);
  return Math.max(0, Math.min(parityOfStripeMax, 256 - dataCount));
}

export type ParityBlock = { readonly index: number; readonly block: Uint8Array };

/** Computes parity of sealed chunks, and lacking blocks from parity. Works in its own memory; keep one for a session. */
export class ParityCode {
  readonly #kernel: GaloisKernel;

  constructor(kernel: GaloisKernel = createGaloisKernel()) {
    this.#kernel = kernel;
    const tables = new Uint8Array(this.#kernel.memory.buffer);
    for (let factor = 0; factor < 256; factor += 1) {
      for (let nibble = 0; nibble < 16; nibble += 1) {
        tables[factor * tableSizeBytes + nibble] = multiply(factor, nibble);
        tables[factor * tableSizeBytes + 16 + nibble] = multiply(factor, nibble << 4);
      }
    }
  }

  /** Parity blocks `from` … `from + count - 1` of a stripe, each of the block size. */
  encode(
    frame: Uint8Array,
    blockSizeBytes: number,
    stripe: number,
    from: number,
    count: number,
  ): Uint8Array[] {
    const rowSizeBytes = roundUp(blockSizeBytes);
    const bytes = this.#clear(rowSizeBytes * (count + 1));
    const source = firstRow + rowSizeBytes * count;
    forEachBlock(frame, blockSizeBytes, stripe, (block, place) => {
      bytes.fill(0, source, source + rowSizeBytes).set(block, source);
      for (let row = 0; row < count; row += 1) {
        this.#addRow(firstRow + row * rowSizeBytes, source, coefficient(from + row, place), rowSizeBytes);
      }
    });
    return Array.from({ length: count }, (_, row) => {
      const start = firstRow + row * rowSizeBytes;
      return bytes.slice(start, start + blockSizeBytes);
    });
  }

  /**
   * Writes the lacking blocks of a stripe into `frame`.
   *
   * @param lacking block indices of this stripe, ascending
   * @param parity at least as many blocks, of different index
   */
  restore(
    frame: Uint8Array,
    blockSizeBytes: number,
    stripe: number,
    lacking: readonly number[],
    parity: readonly ParityBlock[],
  ): void {
    const used = parity.slice(0, lacking.length);
    const count = used.length;
    const places = lacking.map((block) => Math.floor(block / stripeCount));
    const rowSizeBytes = roundUp(blockSizeBytes);
    const bytes = this.#clear(rowSizeBytes * (2 * count + 1));
    const source = firstRow + rowSizeBytes * 2 * count;
    for (const [row, { block }] of used.entries()) {
      bytes.set(block, firstRow + row * rowSizeBytes);
    }
    // What is left of each parity block once the known data is taken out of it.
    forEachBlock(frame, blockSizeBytes, stripe, (block, place) => {
      if (!places.includes(place)) {
        bytes.fill(0, source, source + rowSizeBytes).set(block, source);
        for (const [row, { index }] of used.entries()) {
          this.#addRow(firstRow + row * rowSizeBytes, source, coefficient(index, place), rowSizeBytes);
        }
      }
    });
    const inverse = invertMatrix(used.map(({ index }) => places.map((place) => coefficient(index, place))));
    for (const [row, block] of lacking.entries()) {
      const result = firstRow + (count + row) * rowSizeBytes;
      for (let column = 0; column < count; column += 1) {
        const factor = inverse[row]?.[column] ?? 0;
        this.#addRow(result, firstRow + column * rowSizeBytes, factor, rowSizeBytes);
      }
      const start = block * blockSizeBytes;
      const sizeBytes = Math.min(blockSizeBytes, frame.byteLength - start);
      frame.set(bytes.subarray(result, result + sizeBytes), start);
    }
  }

  #addRow(target: number, source: number, factor: number, rowSizeBytes: number): void {
    this.#kernel.addScaled(target, source, factor * tableSizeBytes, target + rowSizeBytes);
  }

  /** Memory behind the tables, zeroed. */
  #clear(sizeBytes: number): Uint8Array {
    const { memory } = this.#kernel;
    const missingBytes = firstRow + sizeBytes - memory.buffer.byteLength;
    if (missingBytes > 0) {
      memory.grow(Math.ceil(missingBytes / pageSizeBytes));
    }
    return new Uint8Array(memory.buffer).fill(0, firstRow, firstRow + sizeBytes);
  }
}

function roundUp(sizeBytes: number): number {
  return (sizeBytes + 15) & ~15;
}

function forEachBlock(
  frame: Uint8Array,
  blockSizeBytes: number,
  stripe: number,
  visit: (block: Uint8Array, place: number) => void,
): void {
  const step = blockSizeBytes * stripeCount;
  for (let start = stripe * blockSizeBytes, place = 0; start < frame.byteLength; start += step, place += 1) {
    visit(frame.subarray(start, start + blockSizeBytes), place);
  }
}

/** By Gauss and Jordan. A Cauchy matrix and each square part of it can be inverted. */
function invertMatrix(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, index) => [
    ...row,
    ...Array.from({ length: size }, (_, c) => +(c === index)),
  ]);
  for (let column = 0; column < size; column += 1) {
    const pivot = rows.findIndex((row, index) => index >= column && row[column] !== 0);
    const pivotRow = rows[pivot];
    if (pivotRow === undefined) {
      throw new Error("parity blocks of equal index cannot restore anything");
    }
    [rows[pivot], rows[column]] = [rows[column] ?? [], pivotRow];
    const scale = invert(pivotRow[column] ?? 0);
    for (const [index, value] of pivotRow.entries()) {
      pivotRow[index] = multiply(value, scale);
    }
    for (const [index, row] of rows.entries()) {
      const factor = row[column] ?? 0;
      if (index !== column && factor !== 0) {
        for (const [place, value] of pivotRow.entries()) {
          row[place] = (row[place] ?? 0) ^ multiply(value, factor);
        }
      }
    }
  }
  return rows.map((row) => row.slice(size));
}
