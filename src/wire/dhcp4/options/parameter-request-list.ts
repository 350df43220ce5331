import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";

/** Option 55: codes of the options a computer wants, in its order; empty when absent. RFC 2132 §9.8 */
export function parameterRequestList(options: DhcpOptions): readonly number[] {
  return Array.from(findOption(options, optionCodes.parameterRequestList) ?? []);
}

export function parameterRequestListOption(codes: readonly number[]): DhcpOption {
  return { code: optionCodes.parameterRequestList, bytes: Uint8Array.from(codes) };
}
