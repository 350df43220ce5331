import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { DhcpOption } from "#wire/dhcp4/dhcp-options.ts";
import { requestedAddressOption, serverIdentifierOption } from "#wire/dhcp4/options/addresses.ts";
import { clientArchitecturesOption } from "#wire/dhcp4/options/client-architecture.ts";
import { messageTypeOption } from "#wire/dhcp4/options/message-type.ts";
import { parameterRequestListOption } from "#wire/dhcp4/options/parameter-request-list.ts";
import { vendorClassOption } from "#wire/dhcp4/options/texts.ts";
import { plainUserClassOption } from "#wire/dhcp4/options/user-class.ts";
import type { DhcpPacket } from "#wire/dhcp4/packet.ts";

export type PxeRequest = {
  readonly mac: string;
  readonly type?: "discover" | "request" | "inform";
  /** Option 93; `null` for an ordinary DHCP client. Default 0, BIOS. */
  readonly architecture?: number | null;
  readonly isIpxe?: boolean;
  /** 16 bytes of option 97 as hex. */
  readonly uuidHex?: string;
  readonly selectedServer?: string;
  readonly requestedAddress?: string;
  readonly clientAddress?: string;
  readonly relayAddress?: string;
  readonly transactionId?: number;
  /** Asks DHCP servers to answer by broadcast: a test's MAC is not that of the interface it sends from. */
  readonly isBroadcast?: boolean;
  readonly extraOptions?: readonly DhcpOption[];
};

const httpArchitecture = 16;

/** What boot firmware sends, as the options of real firmware have it. */
export function pxeRequest(given: PxeRequest): DhcpPacket {
  const architecture = given.architecture === undefined ? 0 : given.architecture;
  const kind = architecture === httpArchitecture ? "HTTPClient" : "PXEClient";
  return {
    operation: "request",
    hardwareType: 1,
    hardwareAddress: MacAddress.toBytes(MacAddress.parse(given.mac)),
    hops: 0,
    transactionId: given.transactionId ?? 0x1234,
    secondsElapsed: 4,
    isBroadcast: given.isBroadcast ?? false,
    clientAddress: Ipv4Address.parse(given.clientAddress ?? "0.0.0.0"),
    yourAddress: Ipv4Address.any,
    serverAddress: Ipv4Address.any,
    relayAddress: Ipv4Address.parse(given.relayAddress ?? "0.0.0.0"),
    serverName: "",
    bootFile: "",
    options: [
      messageTypeOption(given.type ?? "discover"),
      parameterRequestListOption([1, 3, 43, 54, 60, 66, 67, 97]),
      ...(architecture === null
        ? [vendorClassOption("udhcp 1.35.0")]
        : [
            vendorClassOption(`${kind}:Arch:${String(architecture).padStart(5, "0")}:UNDI:003001`),
            clientArchitecturesOption([architecture]),
          ]),
      ...(given.isIpxe === true ? [plainUserClassOption("iPXE")] : []),
      ...(given.uuidHex === undefined ? [] : [{ code: 97, bytes: Buffer.from(`00${given.uuidHex}`, "hex") }]),
      ...(given.selectedServer === undefined
        ? []
        : [serverIdentifierOption(Ipv4Address.parse(given.selectedServer))]),
      ...(given.requestedAddress === undefined
        ? []
        : [requestedAddressOption(Ipv4Address.parse(given.requestedAddress))]),
      ...(given.extraOptions ?? []),
    ],
  };
}
