export const guidSizeBytes = 16;
/** The first three groups are little-endian. UEFI 2.10 appendix A */
const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;
const pattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A GUID as disks hold it, in lower case. */
export function decodeGuid(bytes: Uint8Array, offset: number): string {
  const digits = order.map((index) => (bytes[offset + index] ?? 0).toString(16).padStart(2, "0")).join("");
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join("-");
}

export function encodeGuid(guid: string): Uint8Array<ArrayBuffer> {
  if (!pattern.test(guid)) {
    throw new Error(`${guid} is no GUID`);
  }
  const digits = guid.replaceAll("-", "");
  const bytes = new Uint8Array(guidSizeBytes);
  for (const [position, index] of order.entries()) {
    bytes[index] = Number.parseInt(digits.slice(position * 2, position * 2 + 2), 16);
  }
  return bytes;
}
