/** A field as people read it: one line, or a heading with fields below it. All text is already safe for a terminal. */
export type PrintedField = { readonly label: string; readonly value: string | readonly PrintedField[] };

/**
 * Text from the network in quotes. Everything but printable ASCII is escaped, quotes and backslashes too, so that it
 * cannot move a cursor, hide what follows or end its own quotes.
 */
export function quoteText(text: string): string {
  return quoteBytes(new TextEncoder().encode(text));
}

/** The same for bytes that should be text. */
export function quoteBytes(bytes: Uint8Array): string {
  const escaped = Array.from(bytes, (byte) => {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    if (isPlain) {
      return String.fromCharCode(byte);
    }
    return byte === 0x22 || byte === 0x5c
      ? `\\${String.fromCharCode(byte)}`
      : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

const hexBytesMax = 64;

/** Bytes in hexadecimal with their size when they are many; BOUNDED to 64 bytes of them. */
export function formatHex(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, hexBytesMax), (byte) => byte.toString(16).padStart(2, "0")).join(
    " ",
  );
  if (bytes.byteLength === 0) {
    return "(empty)";
  }
  return bytes.byteLength > hexBytesMax ? `${shown} … (${bytes.byteLength} bytes)` : shown;
}

/** Lines of fields, each level two spaces deeper. */
export function renderFields(fields: readonly PrintedField[], indent = ""): string[] {
  return fields.flatMap((field) =>
    typeof field.value === "string"
      ? [`${indent}${field.label}: ${field.value}`]
      : [`${indent}${field.label}:`, ...renderFields(field.value, `${indent}  `)],
  );
}
