import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import type { Clock } from "../clock.ts";
import { Link, type LinkModel, perfectLink } from "./link-model.ts";
import { type SeededRandom, seededRandom } from "./seeded-random.ts";
import { type Attachment, type Medium, SimulatedComputer, simulatedInterface } from "./simulated-computer.ts";
import type { SimulatedDatagram, TraceEvent } from "./simulated-datagram.ts";

export type SimulationOptions = {
  readonly clock: Clock;
  /** Same seed, same programs: same datagrams at the same instants. */
  readonly seed: number;
  readonly onTrace?: (event: TraceEvent) => void;
};

export type AttachOptions = {
  readonly interfaceName: string;
  /** With its prefix, `192.168.0.1/24`. */
  readonly address: string;
  /** Default: made from the order of attaching. */
  readonly mac?: MacAddress;
  /** Faults on the way to this interface; what is not given is perfect. */
  readonly link?: Partial<LinkModel>;
};

/**
 * Computers, segments and routers in memory. Broadcast reaches a segment; groups reach their members and, while their
 * TTL lasts, cross routers; unicast is routed. The segments must form a tree: there is no spanning tree here.
 */
export class SimulatedNetwork {
  readonly #options: SimulationOptions;
  readonly #random: SeededRandom;
  /** Keyed by segment name. BOUNDED by the topology of a test. */
  readonly #segments = new Map<string, Attachment[]>();
  readonly #routers = new Set<SimulatedComputer>();
  #attachmentCount = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  computer(name: string): SimulatedComputer {
    const medium: Medium = {
      transmit: (from, datagram) => this.#transmit(from, datagram),
      leadsTo: (segment, destination) => this.#findWay(segment, destination, new Set()) !== null,
    };
    const deliver = (work: () => void): void => {
      this.#options.clock.after(0, work);
    };
    return new SimulatedComputer({ name, medium, random: this.#random, deliver });
  }

  /** A computer that also forwards unicast, and groups whose TTL allows it. */
  router(name: string): SimulatedComputer {
    const router = this.computer(name);
    this.#routers.add(router);
    return router;
  }

  /** Plugs an interface of a computer into a segment. Its `link.model` may be changed while running. */
  attach(computer: SimulatedComputer, segment: string, options: AttachOptions): Attachment {
    this.#attachmentCount += 1;
    const [address = "", prefix = "24"] = options.address.split("/");
    const number = this.#attachmentCount;
    const madeUp = MacAddress.fromBytes(Uint8Array.of(0x52, 0x54, 0, 0, number >>> 8, number & 255));
    const attachment: Attachment = {
      nic: simulatedInterface({
        name: options.interfaceName,
        index: computer.attachments.length + 2,
        mac: options.mac ?? madeUp,
        address: Ipv4Address.parse(address),
        prefixLength: Number(prefix),
      }),
      segment,
      link: new Link({ ...perfectLink, ...options.link }, this.#random),
      computer,
    };
    computer.attachments.push(attachment);
    this.#attachmentsOf(segment).push(attachment);
    return attachment;
  }

  #attachmentsOf(segment: string): Attachment[] {
    const attachments = this.#segments.get(segment) ?? [];
    this.#segments.set(segment, attachments);
    return attachments;
  }

  #transmit(from: Attachment, datagram: SimulatedDatagram): void {
    this.#trace("sent", from, datagram);
    if (from.link.model.isCut) {
      this.#trace("lost", from, datagram);
      return;
    }
    for (const to of this.#receiversOf(from, datagram)) {
      const arrivals = to.link.carry(datagram.bytes.byteLength, this.#options.clock.monotonicMs());
      if (arrivals.length === 0) {
        this.#trace("lost", to, datagram);
      }
      for (const delayMs of arrivals) {
        this.#options.clock.after(delayMs, () => this.#arrive(to, datagram));
      }
    }
  }

  #receiversOf(from: Attachment, datagram: SimulatedDatagram): Attachment[] {
    const others = this.#attachmentsOf(from.segment).filter((other) => other !== from);
    const { destination, destinationMac } = datagram;
    if (destinationMac !== null) {
      return others.filter(({ nic }) => nic.mac === destinationMac);
    }
    const isForAll =
      Ipv4Address.isMulticast(destination) ||
      destination === Ipv4Address.broadcast ||
      destination === from.nic.broadcastAddress;
    if (isForAll) {
      return others;
    }
    const owner = others.find(({ nic }) => nic.address === destination);
    const isOnLink = Ipv4Address.isInside(destination, from.nic);
    const gateway = isOnLink ? null : this.#findWay(from.segment, destination, new Set());
    const next = owner ?? (gateway === null ? undefined : others.find((other) => other.computer === gateway));
    return next === undefined ? [] : [next];
  }

  #arrive(to: Attachment, datagram: SimulatedDatagram): void {
    const isOurs = to.computer.attachments.some(({ nic }) => nic.address === datagram.destination);
    const isGroup = Ipv4Address.isMulticast(datagram.destination);
    if (this.#routers.has(to.computer) && !isOurs) {
      this.#forward(to, datagram, isGroup);
    }
    // Firmware that has no address yet takes what is sent to its hardware address.
    const isForFirmware = to.nic.address === Ipv4Address.any && datagram.destinationMac === to.nic.mac;
    const isForUs =
      isOurs ||
      isForFirmware ||
      isGroup ||
      datagram.destination === Ipv4Address.broadcast ||
      datagram.destination === to.nic.broadcastAddress;
    const wasHeard = isForUs && to.computer.receive(datagram, to.nic);
    this.#trace(wasHeard ? "delivered" : "unheard", to, datagram);
  }

  #forward(arrived: Attachment, datagram: SimulatedDatagram, isGroup: boolean): void {
    const isBroadcast =
      datagram.destination === Ipv4Address.broadcast || datagram.destination === arrived.nic.broadcastAddress;
    if (isBroadcast || datagram.ttl <= 1) {
      return;
    }
    const onward = { ...datagram, ttl: datagram.ttl - 1, destinationMac: null };
    for (const out of arrived.computer.attachments) {
      const isWay =
        isGroup ||
        Ipv4Address.isInside(datagram.destination, out.nic) ||
        this.#findWay(out.segment, datagram.destination, new Set([arrived.segment])) !== null;
      // RFC 2644: a directed broadcast does not cross a router.
      if (out !== arrived && isWay && datagram.destination !== out.nic.broadcastAddress) {
        this.#transmit(out, { ...onward, sourceMac: out.nic.mac });
      }
    }
  }

  /** The router on `segment` that leads to `destination`, or `null`. `seen` holds segments already looked at. */
  #findWay(segment: string, destination: Ipv4Address, seen: Set<string>): SimulatedComputer | null {
    seen.add(segment);
    for (const { computer } of this.#attachmentsOf(segment)) {
      const leads =
        this.#routers.has(computer) &&
        computer.attachments.some(
          (out) =>
            !seen.has(out.segment) &&
            (Ipv4Address.isInside(destination, out.nic) ||
              this.#findWay(out.segment, destination, seen) !== null),
        );
      if (leads) {
        return computer;
      }
    }
    return null;
  }

  #trace(type: TraceEvent["type"], { segment, computer }: Attachment, datagram: SimulatedDatagram): void {
    const atMs = this.#options.clock.monotonicMs();
    this.#options.onTrace?.({ type, atMs, segment, computer: computer.name, datagram });
  }
}
