/*
 * cpio "newc", as the Linux kernel unpacks it (Documentation/driver-api/early-userspace/buffer-format.rst): a header of
 * the magic and thirteen numbers of eight hexadecimal digits, the name with its zero, the content; name and content each
 * filled up to a multiple of four bytes with zeros.
 */

/** A file of an archive. */
export type CpioFile = {
  /** Without a leading slash. */
  readonly name: string;
  readonly content: Uint8Array;
  /** Permission bits, such as `0o600`. */
  readonly mode: number;
};

const alignmentBytes = 4;
const regularFile = 0o100000;
const encoder = new TextEncoder();

function header(fields: readonly number[]): Uint8Array {
  return encoder.encode(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
}

function fill(sizeBytes: number): Uint8Array {
  return new Uint8Array((alignmentBytes - (sizeBytes % alignmentBytes)) % alignmentBytes);
}

function encodeEntry(inode: number, { name, content, mode }: CpioFile): readonly Uint8Array[] {
  const nameBytes = encoder.encode(`${name}\0`);
  const isEnd = inode === 0;
  // Owner and group are root's, the time is the epoch: the same files make the same bytes.
  const fields = [
    ...[inode, isEnd ? 0 : regularFile | mode, 0, 0, 1, 0, content.byteLength],
    ...[0, 0, 0, 0, nameBytes.byteLength, 0],
  ];
  const head = header(fields);
  return [head, nameBytes, fill(head.byteLength + nameBytes.byteLength), content, fill(content.byteLength)];
}

/** An archive of regular files, its end marked. Same files, same bytes. */
export function encodeNewcArchive(files: readonly CpioFile[]): Uint8Array<ArrayBuffer> {
  const end: CpioFile = { name: "TRAILER!!!", content: new Uint8Array(), mode: 0 };
  const parts = [...files.flatMap((file, index) => encodeEntry(index + 1, file)), ...encodeEntry(0, end)];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** Zeros that an initrd is filled up with before another archive follows: the kernel looks for one at multiples of four. */
export function fillBeforeArchive(initrdSizeBytes: number): Uint8Array {
  return fill(initrdSizeBytes);
}
