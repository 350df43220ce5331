import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { clientArchitecturesOption } from "../dhcp4/options/client-architecture.ts";
import { messageTypeOption } from "../dhcp4/options/message-type.ts";
import { parameterRequestListOption } from "../dhcp4/options/parameter-request-list.ts";
import { vendorClassOption } from "../dhcp4/options/texts.ts";
import type { DhcpPacket } from "../dhcp4/packet.ts";

const biosArchitecture = 0;

/**
 * What BIOS firmware sends first: DISCOVER by broadcast, or its request to a boot server once it has an address. Asks for
 * answers by broadcast, since its MAC is not that of the card it leaves from.
 *
 * @see PXE 2.1 §2.2, RFC 4578
 */
export function pxeProbePacket(given: {
  readonly type: "discover" | "request";
  readonly mac: MacAddress;
  readonly transactionId: number;
  readonly secondsElapsed: number;
  /** `ciaddr` of a boot server request. */
  readonly clientAddress: Ipv4Address;
}): DhcpPacket {
  return {
    operation: "request",
    hardwareType: 1,
    hardwareAddress: MacAddress.toBytes(given.mac),
    hops: 0,
    transactionId: given.transactionId,
    secondsElapsed: given.secondsElapsed,
    isBroadcast: given.type === "discover",
    clientAddress: given.clientAddress,
    yourAddress: Ipv4Address.any,
    serverAddress: Ipv4Address.any,
    relayAddress: Ipv4Address.any,
    serverName: "",
    bootFile: "",
    options: [
      messageTypeOption(given.type),
      parameterRequestListOption([1, 3, 43, 54, 60, 66, 67, 97]),
      vendorClassOption("PXEClient:Arch:00000:UNDI:002001"),
      clientArchitecturesOption([biosArchitecture]),
    ],
  };
}

/** First bytes of every MAC a prober uses: locally administered, so no card has them. */
const probeMacPrefix = [0x02, 0x50, 0x54, 0x4c] as const;

export function probeMac(number: number): MacAddress {
  return MacAddress.fromBytes(Uint8Array.of(...probeMacPrefix, (number >>> 8) & 255, number & 255));
}

export function isProbeMac(mac: MacAddress): boolean {
  const bytes = MacAddress.toBytes(mac);
  return probeMacPrefix.every((byte, index) => bytes[index] === byte);
}
