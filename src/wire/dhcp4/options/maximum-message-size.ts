import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { readUint16Value, uint16Value } from "../option-values.ts";

/** Every computer takes an IP packet of this size. RFC 2131 §2, RFC 2132 §9.10 */
const smallestMaximumBytes = 576;
/** One Ethernet frame: a boot ROM does not put fragments together, whatever it announces. */
const largestUsefulBytes = 1500;
const ipAndUdpHeaderBytes = 28;

/** Option 57, as sent: bytes of an IP packet in the common reading. @throws WireError `bad-length` */
export function maximumMessageSizeBytes(options: DhcpOptions): number | undefined {
  const bytes = findOption(options, optionCodes.maximumMessageSize);
  return bytes === undefined ? undefined : readUint16Value(bytes, "maximum DHCP message size");
}

export function maximumMessageSizeOption(sizeBytes: number): DhcpOption {
  return { code: optionCodes.maximumMessageSize, bytes: uint16Value(sizeBytes) };
}

/**
 * How many bytes of UDP payload may be sent in answer to a request: what option 57 allows, never less than every
 * computer must take and never more than one Ethernet frame holds. For `encodeDhcpPacket`.
 *
 * @throws WireError `bad-length`
 */
export function messageSizeLimitBytes(requestOptions: DhcpOptions): number {
  const announced = maximumMessageSizeBytes(requestOptions) ?? smallestMaximumBytes;
  return Math.min(Math.max(announced, smallestMaximumBytes), largestUsefulBytes) - ipAndUdpHeaderBytes;
}
