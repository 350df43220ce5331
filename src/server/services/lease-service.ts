import type { Logger } from "pino";
import {
  answerLeaseRequest,
  type LeaseAnswer,
  type LeaseBoot,
  type LeaseSilence,
} from "#engine/dhcp/lease-responder.ts";
import { type Lease, LeaseTable } from "#engine/dhcp/lease-table.ts";
import type { DhcpArrival } from "#engine/dhcp/proxy-responder.ts";
import type { AddressRange, Settings } from "#plan/settings.ts";
import type { Clock } from "#platform/clock.ts";
import type { NetworkInterface } from "#platform/network.ts";
import type { LeaseStore } from "#store/lease-store.ts";
import { type Ipv4Address, Ipv4Address as Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";

export type LeaseServiceDependencies = {
  readonly settings: () => Pick<Settings, "boot.dhcpRanges">;
  readonly store: Pick<LeaseStore, "list" | "put">;
  readonly clock: Clock;
  readonly log: Logger;
  /** The router of the segment an interface is in, as the operator named it. */
  readonly gatewayOf: (nic: NetworkInterface) => Ipv4Address | null;
};

export type LeaseFailure = LeaseSilence | "no-lease-range" | "lease-not-stored";

type Served = { readonly rangesText: string; readonly table: Promise<LeaseTable> };

/** Leases addresses on segments that have no other DHCP server. A lease is in the store before it is given. */
export class LeaseService {
  readonly #dependencies: LeaseServiceDependencies;
  /** Keyed by interface name. BOUNDED by the interfaces that were named. */
  readonly #served = new Map<string, Served>();

  constructor(dependencies: LeaseServiceDependencies) {
    this.#dependencies = dependencies;
  }

  async answer(
    nic: NetworkInterface,
    arrival: DhcpArrival,
    boot: LeaseBoot | null,
  ): Promise<LeaseAnswer | { readonly type: "ignore"; readonly reason: LeaseFailure; readonly lease: null }> {
    const ranges = rangesOn(nic, this.#dependencies.settings()["boot.dhcpRanges"]);
    if (ranges.length === 0) {
      return { type: "ignore", reason: "no-lease-range", lease: null };
    }
    try {
      const segment = {
        table: await this.#tableOf(nic, ranges),
        subnet: Ipv4Subnet.of(nic.address, nic.prefixLength),
        serverAddress: nic.address,
        gatewayAddress: this.#dependencies.gatewayOf(nic),
      };
      const answer = answerLeaseRequest(arrival, segment, boot, this.#dependencies.clock.epochMs());
      if (answer.lease !== null) {
        await this.#dependencies.store.put(answer.lease);
      }
      return answer;
    } catch (error) {
      // The computer asks again; by then the store may be back.
      this.#dependencies.log.warn({ err: error, interface: nic.name }, "a lease could not be stored");
      return { type: "ignore", reason: "lease-not-stored", lease: null };
    }
  }

  /** The table of an interface, built again from the store when its ranges have changed or the store was away. */
  #tableOf(nic: NetworkInterface, ranges: readonly AddressRange[]): Promise<LeaseTable> {
    const rangesText = ranges.map(({ from, to }) => `${from}-${to}`).join(",");
    const known = this.#served.get(nic.name);
    if (known?.rangesText === rangesText) {
      return known.table;
    }
    const table = this.#dependencies.store
      .list()
      .then((kept: readonly Lease[]) => new LeaseTable(ranges, kept));
    this.#served.set(nic.name, { rangesText, table });
    table.catch(() => this.#served.delete(nic.name));
    return table;
  }
}

/** The ranges, or parts of them, that lie in the interface's subnet; never our own address in one. */
function rangesOn(nic: NetworkInterface, ranges: readonly AddressRange[]): AddressRange[] {
  const subnet = Ipv4Subnet.of(nic.address, nic.prefixLength);
  const own = Address.toNumber(nic.address);
  return ranges
    .filter(({ from, to }) => Address.isInside(from, subnet) && Address.isInside(to, subnet))
    .flatMap(({ from, to }) => {
      const [first, last] = [Address.toNumber(from), Address.toNumber(to)];
      const parts: [number, number][] =
        own < first || own > last
          ? [[first, last]]
          : [
              [first, own - 1],
              [own + 1, last],
            ];
      return parts
        .filter(([start, end]) => start <= end)
        .map(([start, end]) => ({ from: Address.fromNumber(start), to: Address.fromNumber(end) }));
    });
}
