import { identifyClient, type ClientWords, type Firmware } from "../boot/identify-client.ts";
import { identifyComputer } from "../boot/identify-computer.ts";
import type { BootRequest } from "../boot/decide-boot.ts";
import type { RelayTrace } from "../boot/boot-event.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { findOption } from "#wire/dhcp4/dhcp-options.ts";
import { optionCodes } from "#wire/dhcp4/option-codes.ts";
import { requestedAddress, serverIdentifier } from "#wire/dhcp4/options/addresses.ts";
import { clientArchitectures } from "#wire/dhcp4/options/client-architecture.ts";
import { hasIpxeFeature, ipxeOptions, ipxeSubOptionCodes } from "#wire/dhcp4/options/ipxe.ts";
import { messageType } from "#wire/dhcp4/options/message-type.ts";
import { relayAgentInformation } from "#wire/dhcp4/options/relay-agent-information.ts";
import { vendorClass } from "#wire/dhcp4/options/texts.ts";
import { userClass } from "#wire/dhcp4/options/user-class.ts";
import type { DhcpPacket } from "#wire/dhcp4/packet.ts";

const notPxe: Firmware = { type: "not-pxe" };

/**
 * Reduces a DHCP packet to what the boot decision reads. Packets of ordinary clients are recognised by option 60
 * before any other option is looked at, so their peculiarities cannot count as malformed.
 *
 * @throws WireError when an option that the decision needs is malformed
 */
export function readBootRequest(packet: DhcpPacket, port: BootRequest["port"]): BootRequest {
  const isRequest = packet.operation === "request";
  const firmware = isRequest ? identifyClient(clientWords(packet)) : notPxe;
  const base = { port, transactionId: packet.transactionId, firmware };
  if (firmware.type === "not-pxe") {
    return { ...base, message: "other", identity: null, selectedServer: null, relayAddress: null };
  }
  return {
    ...base,
    message: messageOf(packet),
    identity: identifyComputer({
      hardwareType: packet.hardwareType,
      hardwareAddress: packet.hardwareAddress,
      clientUuid: findOption(packet.options, optionCodes.clientUuid) ?? null,
      clientIdentifier: findOption(packet.options, optionCodes.clientIdentifier) ?? null,
    }),
    selectedServer: serverIdentifier(packet.options) ?? null,
    relayAddress: packet.relayAddress === Ipv4Address.any ? null : packet.relayAddress,
  };
}

function clientWords(packet: DhcpPacket): ClientWords {
  const named = vendorClass(packet.options) ?? null;
  const isBootClient = named?.startsWith("PXEClient") === true || named?.startsWith("HTTPClient") === true;
  if (!isBootClient) {
    return { vendorClass: named, architectures: [], userClasses: [], ipxeFeatures: null };
  }
  return {
    vendorClass: named,
    architectures: clientArchitectures(packet.options),
    userClasses: userClass(packet.options),
    ipxeFeatures: ipxeFeatureNames(packet),
  };
}

function ipxeFeatureNames(packet: DhcpPacket): readonly string[] | null {
  const subOptions = ipxeOptions(packet.options);
  if (subOptions === undefined) {
    return null;
  }
  return hasIpxeFeature(subOptions, ipxeSubOptionCodes.featureHttp) ? ["http"] : [];
}

function messageOf(packet: DhcpPacket): BootRequest["message"] {
  const type = messageType(packet.options);
  return type === "discover" || type === "request" || type === "inform" ? type : "other";
}

/** The address a REQUEST asks the site's DHCP server for; `null` when it names none. */
export function leaseAskedFor(packet: DhcpPacket): Ipv4Address | null {
  const asked = requestedAddress(packet.options) ?? packet.clientAddress;
  return asked === Ipv4Address.any ? null : asked;
}

const relayTextBytesMax = 64;

/** What relays wrote into the packet; `null` without a relay. A malformed option 82 is echoed, not read. */
export function readRelayTrace(packet: DhcpPacket): RelayTrace | null {
  if (packet.relayAddress === Ipv4Address.any) {
    return null;
  }
  const information = readableRelayInformation(packet);
  return {
    address: packet.relayAddress,
    hops: packet.hops,
    circuitId: hexOf(information?.circuitId),
    remoteId: hexOf(information?.remoteId),
  };
}

function readableRelayInformation(packet: DhcpPacket): ReturnType<typeof relayAgentInformation> {
  try {
    return relayAgentInformation(packet.options);
  } catch (error) {
    if (error instanceof WireError) {
      return undefined;
    }
    throw error;
  }
}

function hexOf(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) {
    return null;
  }
  const kept = bytes.subarray(0, relayTextBytesMax);
  return Array.from(kept, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
