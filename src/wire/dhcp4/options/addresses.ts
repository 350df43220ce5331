import type { Ipv4Address } from "../../address/ipv4-address.ts";
import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { addressesValue, readAddressesValue, readAddressValue } from "../option-values.ts";

/** Option 50, the address a computer asks for. RFC 2132 §9.1 @throws WireError `bad-length` */
export function requestedAddress(options: DhcpOptions): Ipv4Address | undefined {
  return readOne(options, optionCodes.requestedAddress, "requested IP address");
}

export function requestedAddressOption(address: Ipv4Address): DhcpOption {
  return { code: optionCodes.requestedAddress, bytes: addressesValue([address]) };
}

/** Option 54, which server speaks, or is spoken to. RFC 2132 §9.7 @throws WireError `bad-length` */
export function serverIdentifier(options: DhcpOptions): Ipv4Address | undefined {
  return readOne(options, optionCodes.serverIdentifier, "server identifier");
}

export function serverIdentifierOption(address: Ipv4Address): DhcpOption {
  return { code: optionCodes.serverIdentifier, bytes: addressesValue([address]) };
}

/** Option 1. RFC 2132 §3.3 @throws WireError `bad-length` */
export function subnetMask(options: DhcpOptions): Ipv4Address | undefined {
  return readOne(options, optionCodes.subnetMask, "subnet mask");
}

export function subnetMaskOption(mask: Ipv4Address): DhcpOption {
  return { code: optionCodes.subnetMask, bytes: addressesValue([mask]) };
}

/** Option 28. RFC 2132 §5.3 @throws WireError `bad-length` */
export function broadcastAddress(options: DhcpOptions): Ipv4Address | undefined {
  return readOne(options, optionCodes.broadcastAddress, "broadcast address");
}

export function broadcastAddressOption(address: Ipv4Address): DhcpOption {
  return { code: optionCodes.broadcastAddress, bytes: addressesValue([address]) };
}

/** Option 3, in order of preference; empty when absent. RFC 2132 §3.5 @throws WireError `bad-length` */
export function routers(options: DhcpOptions): readonly Ipv4Address[] {
  return readMany(options, optionCodes.router, "router");
}

export function routersOption(addresses: readonly Ipv4Address[]): DhcpOption {
  return { code: optionCodes.router, bytes: addressesValue(addresses) };
}

/** Option 6; empty when absent. RFC 2132 §3.8 @throws WireError `bad-length` */
export function domainNameServers(options: DhcpOptions): readonly Ipv4Address[] {
  return readMany(options, optionCodes.domainNameServer, "domain name server");
}

export function domainNameServersOption(addresses: readonly Ipv4Address[]): DhcpOption {
  return { code: optionCodes.domainNameServer, bytes: addressesValue(addresses) };
}

function readOne(options: DhcpOptions, code: number, field: string): Ipv4Address | undefined {
  const bytes = findOption(options, code);
  return bytes === undefined ? undefined : readAddressValue(bytes, field);
}

function readMany(options: DhcpOptions, code: number, field: string): readonly Ipv4Address[] {
  const bytes = findOption(options, code);
  return bytes === undefined ? [] : readAddressesValue(bytes, field);
}
