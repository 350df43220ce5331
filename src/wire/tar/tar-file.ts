import { WireError } from "../bytes/wire-error.ts";

/** One ordinary file of an archive. `path`: printable ASCII, relative, at most 100 bytes. */
export type TarEntry = { readonly path: string; readonly bytes: Uint8Array };

const blockBytes = 512;
const pathBytesMax = 100;
const pathPattern = /^[A-Za-z0-9][A-Za-z0-9 ._-]*(?:\/[A-Za-z0-9][A-Za-z0-9 ._-]*)*$/;

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, "0")}\0`;
}

function checksum(header: Uint8Array): number {
  // The field itself counts as blanks.
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0);
}

function encodeHeader(entry: TarEntry, modifiedAtSeconds: number): Uint8Array {
  const header = new Uint8Array(blockBytes);
  const put = (offset: number, text: string): void => header.set(new TextEncoder().encode(text), offset);
  put(0, entry.path);
  put(100, octal(0o644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(entry.bytes.byteLength, 11));
  put(136, octal(modifiedAtSeconds, 11));
  put(156, "0");
  put(257, "ustar\0");
  put(263, "00");
  put(148, `${octal(checksum(header), 6)} `);
  return header;
}

/**
 * A POSIX archive (ustar) of ordinary files, readable by every `tar`. The same entries give the same bytes.
 *
 * @throws WireError `bad-value` for a path that is absolute, climbs or is too long
 */
export function encodeTar(entries: readonly TarEntry[], modifiedAtSeconds: number): Uint8Array {
  const parts = entries.flatMap((entry) => {
    if (!pathPattern.test(entry.path) || entry.path.length > pathBytesMax) {
      throw new WireError({
        code: "bad-value",
        field: "path in archive",
        offset: 0,
        detail: JSON.stringify(entry.path),
      });
    }
    const padding = new Uint8Array((blockBytes - (entry.bytes.byteLength % blockBytes)) % blockBytes);
    return [encodeHeader(entry, modifiedAtSeconds), entry.bytes, padding];
  });
  const all = [...parts, new Uint8Array(2 * blockBytes)];
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of all) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

function readText(bytes: Uint8Array, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return new TextDecoder("latin1").decode(end === -1 ? field : field.subarray(0, end));
}

/**
 * Ordinary files of an archive, in order; what archives of ours never hold is an error, not skipped.
 *
 * @throws WireError `truncated` | `bad-value`, with the offset of the header
 */
export function decodeTar(bytes: Uint8Array): TarEntry[] {
  const entries: TarEntry[] = [];
  let offset = 0;
  for (;;) {
    const header = bytes.subarray(offset, offset + blockBytes);
    if (header.byteLength < blockBytes) {
      throw new WireError({
        ...{ code: "truncated", field: "archive header", offset },
        ...{ needBytes: blockBytes, haveBytes: header.byteLength },
      });
    }
    if (header.every((byte) => byte === 0)) {
      return entries;
    }
    const path = readText(header, 0, pathBytesMax);
    const size = Number.parseInt(readText(header, 124, 12), 8);
    const sum = Number.parseInt(readText(header, 148, 8), 8);
    const isSound = sum === checksum(header) && readText(header, 257, 6) === "ustar" && header[156] === 0x30;
    if (!isSound || !Number.isSafeInteger(size) || size < 0 || !pathPattern.test(path)) {
      throw new WireError({
        code: "bad-value",
        field: "archive header",
        offset,
        detail: JSON.stringify(path),
      });
    }
    const start = offset + blockBytes;
    if (start + size > bytes.byteLength) {
      throw new WireError({
        ...{ code: "truncated", field: `file ${path}`, offset: start },
        ...{ needBytes: size, haveBytes: bytes.byteLength - start },
      });
    }
    entries.push({ path, bytes: bytes.subarray(start, start + size) });
    offset = start + Math.ceil(size / blockBytes) * blockBytes;
  }
}
