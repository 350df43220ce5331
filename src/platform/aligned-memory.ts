import process from "node:process";

/** Offsets, lengths and memory of direct transfers are multiples of the disk's block, which is 512 or 4096 bytes: open(2). */
export const blockSizeBytes = 4096;

const ffi = process.getBuiltinModule("node:ffi");

/** Memory that a disk can fill directly. Where Node has no node:ffi it is memory like any other. */
export function alignedMemory(sizeBytes: number): Uint8Array {
  if (ffi === undefined) {
    return new Uint8Array(sizeBytes);
  }
  const room = new Uint8Array(sizeBytes + blockSizeBytes);
  const beyond = Number(ffi.getRawPointer(room) % BigInt(blockSizeBytes));
  return room.subarray(blockSizeBytes - beyond, blockSizeBytes - beyond + sizeBytes);
}

export function isAligned(memory: Uint8Array): boolean {
  return ffi !== undefined && ffi.getRawPointer(memory) % BigInt(blockSizeBytes) === 0n;
}
