import { ByteReader } from "../../bytes/byte-reader.ts";
import { ByteWriter } from "../../bytes/byte-writer.ts";
import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";

/** `type` is a hardware type (1 = Ethernet, then a MAC address), 0 = anything, 255 = IAID and DUID (RFC 4361). */
export type ClientIdentifier = { readonly type: number; readonly bytes: Uint8Array };

/** Option 61. RFC 2132 §9.14 @throws WireError `truncated` when it is empty */
export function clientIdentifier(options: DhcpOptions): ClientIdentifier | undefined {
  const bytes = findOption(options, optionCodes.clientIdentifier);
  return bytes === undefined ? undefined : decodeClientIdentifier(bytes);
}

/** @throws WireError `truncated` */
export function decodeClientIdentifier(bytes: Uint8Array): ClientIdentifier {
  const reader = new ByteReader(bytes);
  const type = reader.uint8("client identifier type");
  return { type, bytes: reader.rest() };
}

export function clientIdentifierOption(identifier: ClientIdentifier): DhcpOption {
  const writer = new ByteWriter(identifier.bytes.byteLength + 1);
  return {
    code: optionCodes.clientIdentifier,
    bytes: writer.uint8(identifier.type).put(identifier.bytes).finish(),
  };
}
