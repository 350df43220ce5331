import type { Ipv4Address } from "../../address/ipv4-address.ts";
import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { readAddressValue } from "../option-values.ts";
import { decodeSubOptions, encodeSubOptions } from "../sub-options.ts";

/** Codes inside option 82. RFC 3046 §2, RFC 3527, RFC 3993, RFC 4030, RFC 5010, RFC 5107, RFC 6607 */
export const relaySubOptionCodes = {
  circuitId: 1,
  remoteId: 2,
  linkSelection: 5,
  subscriberId: 6,
  authentication: 8,
  vendorSpecific: 9,
  flags: 10,
  serverIdentifierOverride: 11,
  relayIdentifier: 12,
  virtualSubnetSelection: 151,
  virtualSubnetSelectionControl: 152,
} as const;

export type RelayAgentInformation = {
  /** Which port of the relay or switch the request came in. Meaning is the relay's own. */
  readonly circuitId: Uint8Array | undefined;
  /** Which relay, or which end of its line. Meaning is the relay's own. */
  readonly remoteId: Uint8Array | undefined;
  /** The subnet the computer is on, when `giaddr` is not in it. RFC 3527 */
  readonly linkSelection: Ipv4Address | undefined;
  /** The address to be used as server identifier in the answer. RFC 5107 */
  readonly serverIdentifierOverride: Ipv4Address | undefined;
  /** All of them, in order, the ones above included. */
  readonly subOptions: readonly DhcpOption[];
};

/**
 * Option 82. An answer echoes the option's bytes as they came (`findOption(options, 82)`), never re-encoded.
 *
 * @throws WireError `option-past-end` | `bad-length`
 */
export function relayAgentInformation(options: DhcpOptions): RelayAgentInformation | undefined {
  const bytes = findOption(options, optionCodes.relayAgentInformation);
  return bytes === undefined ? undefined : decodeRelayAgentInformation(bytes);
}

/** @throws WireError `option-past-end` | `bad-length` */
export function decodeRelayAgentInformation(bytes: Uint8Array): RelayAgentInformation {
  const subOptions = decodeSubOptions(bytes, { field: "relay agent information", hasPadAndEnd: false });
  const address = (code: number, field: string): Ipv4Address | undefined => {
    const value = findOption(subOptions, code);
    return value === undefined ? undefined : readAddressValue(value, field);
  };
  return {
    circuitId: findOption(subOptions, relaySubOptionCodes.circuitId),
    remoteId: findOption(subOptions, relaySubOptionCodes.remoteId),
    linkSelection: address(relaySubOptionCodes.linkSelection, "link selection"),
    serverIdentifierOverride: address(
      relaySubOptionCodes.serverIdentifierOverride,
      "server identifier override",
    ),
    subOptions,
  };
}

/** What a relay adds. @throws WireError `too-long` */
export function relayAgentInformationOption(subOptions: readonly DhcpOption[]): DhcpOption {
  return {
    code: optionCodes.relayAgentInformation,
    bytes: encodeSubOptions(subOptions, "relay agent information"),
  };
}
