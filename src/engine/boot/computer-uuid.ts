/** An SMBIOS system UUID as lower-case text in the byte order the operating system prints. */
export type ComputerUuid = string & { readonly __brand: "ComputerUuid" };

const pattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * UUIDs that boards carry when nobody filled them in. Thousands of computers share them, so they identify nobody.
 * Compared in both byte orders.
 */
const placeholders: ReadonlySet<string> = new Set([
  "00000000-0000-0000-0000-000000000000",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "00020003-0004-0005-0006-000700080009",
  "03000200-0400-0500-0006-000700080009",
  "12345678-1234-5678-90ab-cddeefaabbcc",
  "01234567-89ab-cdef-0123-456789abcdef",
  "11111111-2222-3333-4444-555555555555",
]);

export const ComputerUuid = {
  /** Accepts either case. `null` for text that is no UUID and for placeholders. */
  parse(text: string): ComputerUuid | null {
    const lower = text.trim().toLowerCase();
    return pattern.test(lower) ? withoutPlaceholder(lower as ComputerUuid) : null;
  },

  /**
   * The 16 bytes of DHCP option 97 after its type byte. Like SMBIOS 2.6 and EFI, the first three fields are
   * little-endian (RFC 4578 §2.3). `null` for another length and for placeholders.
   */
  fromSmbiosBytes(bytes: Uint8Array): ComputerUuid | null {
    if (bytes.byteLength !== 16) {
      return null;
    }
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
    const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    const digits = order.map((index) => hex[index] ?? "00").join("");
    const text = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    return withoutPlaceholder(text as ComputerUuid);
  },

  /**
   * The same bytes read in the other order. Some firmware sends option 97 in network order, so a computer may
   * show both; the directory knows it under either.
   */
  twin(uuid: ComputerUuid): ComputerUuid {
    const [first = "", second = "", third = "", ...rest] = uuid.split("-");
    return [swap(first), swap(second), swap(third), ...rest].join("-") as ComputerUuid;
  },
};

function swap(digits: string): string {
  return (digits.match(/../g) ?? []).toReversed().join("");
}

function withoutPlaceholder(uuid: ComputerUuid): ComputerUuid | null {
  return placeholders.has(uuid) || placeholders.has(ComputerUuid.twin(uuid)) ? null : uuid;
}
