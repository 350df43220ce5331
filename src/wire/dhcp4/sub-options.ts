import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";
import type { DhcpOption } from "./dhcp-options.ts";

/*
 * An encapsulated option, the inside of options 43, 82 and 175:
 *   0  1  code
 *   1  1  size
 *   2  n  value
 * Options 43 and 175 also know pad (0) and end (255) as in the options field; option 82 does not.
 */

export type SubOptionForm = { readonly field: string; readonly hasPadAndEnd: boolean };

/**
 * Sub-options in order; one that appears twice stays twice.
 * BOUNDED by the size of the option.
 *
 * @throws WireError `option-past-end`
 */
export function decodeSubOptions(bytes: Uint8Array, form: SubOptionForm): DhcpOption[] {
  const reader = new ByteReader(bytes);
  const found: DhcpOption[] = [];
  while (reader.remainingBytes > 0) {
    const { offset } = reader;
    const code = reader.uint8(form.field);
    if (form.hasPadAndEnd && code === 0) {
      continue;
    }
    if (form.hasPadAndEnd && code === 255) {
      break;
    }
    const needBytes = reader.remainingBytes === 0 ? 1 : reader.uint8(form.field);
    if (needBytes > reader.remainingBytes) {
      const haveBytes = reader.remainingBytes;
      throw new WireError({
        code: "option-past-end",
        field: form.field,
        offset,
        needBytes,
        haveBytes,
        detail: `sub-option ${code}`,
      });
    }
    found.push({ code, bytes: reader.copy(needBytes, form.field) });
  }
  return found;
}

/** Without the end option. @throws WireError `too-long` for a value over 255 bytes */
export function encodeSubOptions(subOptions: readonly DhcpOption[], field: string): Uint8Array {
  const writer = new ByteWriter();
  for (const { code, bytes } of subOptions) {
    if (bytes.byteLength > 255) {
      throw new WireError({
        code: "too-long",
        field,
        offset: writer.offset,
        needBytes: bytes.byteLength,
        haveBytes: 255,
      });
    }
    writer.uint8(code).uint8(bytes.byteLength).put(bytes);
  }
  return writer.finish();
}
