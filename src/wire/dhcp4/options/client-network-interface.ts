import { ByteReader } from "../../bytes/byte-reader.ts";
import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { checkSize } from "../option-values.ts";

/** `type` 1 is UNDI; then its version, 3.16 for UEFI 2.x and 2.1 for PXE 2.1. */
export type ClientNetworkInterface = {
  readonly type: number;
  readonly major: number;
  readonly minor: number;
};

/** Option 94. RFC 4578 §2.2 @throws WireError `bad-length` */
export function clientNetworkInterface(options: DhcpOptions): ClientNetworkInterface | undefined {
  const bytes = findOption(options, optionCodes.clientNetworkInterface);
  return bytes === undefined ? undefined : decodeClientNetworkInterface(bytes);
}

/** @throws WireError `bad-length` */
export function decodeClientNetworkInterface(bytes: Uint8Array): ClientNetworkInterface {
  const field = "client network interface";
  checkSize(bytes, 3, field);
  const reader = new ByteReader(bytes);
  return { type: reader.uint8(field), major: reader.uint8(field), minor: reader.uint8(field) };
}

export function clientNetworkInterfaceOption(value: ClientNetworkInterface): DhcpOption {
  return {
    code: optionCodes.clientNetworkInterface,
    bytes: Uint8Array.of(value.type, value.major, value.minor),
  };
}
