import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { readUint32Value, uint32Value } from "../option-values.ts";

/** A lease that never ends. RFC 2131 §3.3 */
export const infiniteLeaseSeconds = 0xffffffff;

/** Option 51. RFC 2132 §9.2 @throws WireError `bad-length` */
export function leaseSeconds(options: DhcpOptions): number | undefined {
  return readSeconds(options, optionCodes.leaseTime, "lease time");
}

export function leaseSecondsOption(seconds: number): DhcpOption {
  return { code: optionCodes.leaseTime, bytes: uint32Value(seconds) };
}

/** Option 58, T1. RFC 2132 §9.11 @throws WireError `bad-length` */
export function renewalSeconds(options: DhcpOptions): number | undefined {
  return readSeconds(options, optionCodes.renewalTime, "renewal time");
}

export function renewalSecondsOption(seconds: number): DhcpOption {
  return { code: optionCodes.renewalTime, bytes: uint32Value(seconds) };
}

/** Option 59, T2. RFC 2132 §9.12 @throws WireError `bad-length` */
export function rebindingSeconds(options: DhcpOptions): number | undefined {
  return readSeconds(options, optionCodes.rebindingTime, "rebinding time");
}

export function rebindingSecondsOption(seconds: number): DhcpOption {
  return { code: optionCodes.rebindingTime, bytes: uint32Value(seconds) };
}

function readSeconds(options: DhcpOptions, code: number, field: string): number | undefined {
  const bytes = findOption(options, code);
  return bytes === undefined ? undefined : readUint32Value(bytes, field);
}
