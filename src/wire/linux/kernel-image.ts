import { WireError } from "../bytes/wire-error.ts";

/*
 * A Linux kernel for x86 as it is booted: Documentation/arch/x86/boot.rst. Offsets from the file's beginning.
 *
 * | offset | size | field                                                            |
 * | ------ | ---- | ---------------------------------------------------------------- |
 * | 0x03c  | 4    | where the PE header is, in a kernel that firmware can start      |
 * | 0x202  | 4    | `HdrS`                                                           |
 * | 0x20e  | 2    | where the version's text is, from 0x200                          |
 */

/** How much of a kernel's beginning says what it is. */
export const kernelHeadSizeBytes = 64 << 10;

export type KernelImage = {
  /** As it names itself, such as `6.1.0-37-amd64`; `null` when it does not. */
  readonly version: string | null;
  /** It carries a signature for Secure Boot; whose is not looked at. */
  readonly isSigned: boolean;
};

const headerMagic = 0x53726448;
const peMagic = 0x00004550;
/** PE32+ optional header: the fifth data directory is the certificate table. */
const certificateSizeOffset = 4 + 20 + 112 + 4 * 8 + 4;

/** @param head the first bytes, `kernelHeadSizeBytes` or the whole file @throws WireError `truncated` | `bad-magic` */
export function decodeKernelImage(head: Uint8Array): KernelImage {
  if (head.byteLength < 0x210) {
    const sizes = { needBytes: 0x210, haveBytes: head.byteLength };
    throw new WireError({ code: "truncated", field: "kernel", offset: 0, ...sizes });
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (view.getUint32(0x202, true) !== headerMagic) {
    throw new WireError({ code: "bad-magic", field: "HdrS", offset: 0x202 });
  }
  return { version: readVersion(head, view.getUint16(0x20e, true)), isSigned: readSigned(view) };
}

function readVersion(head: Uint8Array, pointer: number): string | null {
  const start = pointer + 0x200;
  const end = head.indexOf(0, start);
  if (pointer === 0 || end === -1 || end - start > 512) {
    return null;
  }
  const [word = ""] = new TextDecoder("latin1").decode(head.subarray(start, end)).split(" ");
  return /^[\x21-\x7e]{1,64}$/.test(word) ? word : null;
}

function readSigned(view: DataView): boolean {
  const peOffset = view.getUint32(0x3c, true);
  const end = peOffset + certificateSizeOffset + 4;
  const isPe = end <= view.byteLength && view.getUint32(peOffset, true) === peMagic;
  return isPe && view.getUint32(peOffset + certificateSizeOffset, true) > 0;
}
