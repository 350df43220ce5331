import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { ServedInterface } from "./segment.ts";

/** Where one TCP listener stands. */
export type ControlPlace = { readonly name: string; readonly address: Ipv4Address };

/**
 * Where control connections are taken: on each interface at the address of its subnet that was chosen, or at its own.
 * A chosen address that is in no subnet of ours belongs to another server.
 */
export function controlPlaces(
  interfaces: readonly ServedInterface[],
  chosen: readonly Ipv4Address[],
): ControlPlace[] {
  return interfaces.map((nic) => {
    const subnet = { address: nic.address, prefixLength: nic.prefixLength };
    return {
      name: nic.name,
      address: chosen.find((one) => Ipv4Address.isInside(one, subnet)) ?? nic.address,
    };
  });
}
