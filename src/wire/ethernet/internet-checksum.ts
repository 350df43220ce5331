/**
 * The ones' complement sum that IPv4 and UDP headers carry, over the parts in order. Parts of odd size are only
 * allowed last; that one is padded with a zero byte.
 *
 * @returns 16-bit checksum; 0 when run over data that holds its own correct checksum.
 * @see RFC 1071
 */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let index = 0; index < part.byteLength; index += 2) {
      sum += ((part[index] ?? 0) << 8) | (part[index + 1] ?? 0);
    }
  }
  while (sum > 0xffff) {
    sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  }
  return ~sum & 0xffff;
}
