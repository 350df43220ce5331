import { ByteReader } from "../../bytes/byte-reader.ts";
import { ByteWriter } from "../../bytes/byte-writer.ts";
import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { checkSize } from "../option-values.ts";

/** `type` 0 is a UUID, the only one in use. `bytes` as sent, 16. */
export type ClientUuid = { readonly type: number; readonly bytes: Uint8Array };

/** Option 97; a server echoes it as it came. RFC 4578 §2.3 @throws WireError `bad-length` */
export function clientUuid(options: DhcpOptions): ClientUuid | undefined {
  const bytes = findOption(options, optionCodes.clientUuid);
  return bytes === undefined ? undefined : decodeClientUuid(bytes);
}

/** @throws WireError `bad-length` */
export function decodeClientUuid(bytes: Uint8Array): ClientUuid {
  checkSize(bytes, 17, "client UUID");
  const reader = new ByteReader(bytes);
  return { type: reader.uint8("client UUID type"), bytes: reader.rest() };
}

export function clientUuidOption(uuid: ClientUuid): DhcpOption {
  return {
    code: optionCodes.clientUuid,
    bytes: new ByteWriter(17).uint8(uuid.type).put(uuid.bytes).finish(),
  };
}

/**
 * The 16 bytes as the text that SMBIOS tools print: the first three groups are little-endian in firmware, and boot
 * ROMs send the bytes of firmware unchanged.
 *
 * @throws WireError `bad-length`
 * @see SMBIOS 2.6 §7.2.1
 */
export function formatSystemUuid(bytes: Uint8Array): string {
  checkSize(bytes, 16, "system UUID");
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const group = (...indexes: readonly number[]): string => indexes.map((index) => hex[index]).join("");
  return [group(3, 2, 1, 0), group(5, 4), group(7, 6), group(8, 9), group(10, 11, 12, 13, 14, 15)].join("-");
}
