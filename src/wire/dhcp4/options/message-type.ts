import { WireError } from "../../bytes/wire-error.ts";
import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { readUint8Value } from "../option-values.ts";

/** Values of option 53. RFC 2132 §9.6, RFC 3203, RFC 4388, RFC 6926 */
export const dhcpMessageTypes = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
  "force-renew": 9,
  "lease-query": 10,
  "lease-unassigned": 11,
  "lease-unknown": 12,
  "lease-active": 13,
  "bulk-lease-query": 14,
  "lease-query-done": 15,
  "active-lease-query": 16,
  "lease-query-status": 17,
  tls: 18,
} as const;

export type DhcpMessageType = keyof typeof dhcpMessageTypes;

const typeNames = new Map(
  Object.entries(dhcpMessageTypes).map(([name, value]) => [value as number, name as DhcpMessageType]),
);

/** Option 53, or `undefined` for plain BOOTP. @throws WireError `bad-length` | `bad-value` */
export function messageType(options: DhcpOptions): DhcpMessageType | undefined {
  const bytes = findOption(options, optionCodes.messageType);
  return bytes === undefined ? undefined : decodeMessageType(bytes);
}

/** @throws WireError `bad-length` | `bad-value` */
export function decodeMessageType(bytes: Uint8Array): DhcpMessageType {
  const value = readUint8Value(bytes, "DHCP message type");
  const name = typeNames.get(value);
  if (name === undefined) {
    throw new WireError({ code: "bad-value", field: "DHCP message type", offset: 0, detail: String(value) });
  }
  return name;
}

export function messageTypeOption(type: DhcpMessageType): DhcpOption {
  return { code: optionCodes.messageType, bytes: Uint8Array.of(dhcpMessageTypes[type]) };
}
