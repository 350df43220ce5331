import type { BootEvent } from "#engine/boot/boot-event.ts";
import { leaseAskedFor, readRelayTrace } from "#engine/dhcp/read-boot-request.ts";
import { findInBootEvent } from "#engine/findings/boot-findings.ts";
import { DhcpWatch } from "#engine/findings/dhcp-watch.ts";
import { verifiedKinds } from "#engine/findings/finding.ts";
import { findRogueDiscovery, type RogueSighting } from "#engine/findings/rogue-discovery.ts";
import { findInEvidence } from "#engine/findings/segment-findings.ts";
import type { RemedyBook } from "#engine/verify/cell.ts";
import type { SegmentEvidence } from "#engine/verify/evidence.ts";
import type { Cell } from "#engine/verify/verdict.ts";
import type { Segment } from "#plan/segment.ts";
import type { StoredFinding } from "#store/finding-store.ts";
import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { MacAddress } from "#wire/address/mac-address.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import { serverIdentifier } from "#wire/dhcp4/options/addresses.ts";
import { messageType } from "#wire/dhcp4/options/message-type.ts";
import { vendorClass } from "#wire/dhcp4/options/texts.ts";
import { isProbeMac } from "#wire/probe/pxe-probe-packet.ts";
import type { ObservedDhcp } from "../services/dhcp-service.ts";
import { FindingList, type FindingListDependencies } from "./finding-list.ts";

export type FindingServiceDependencies = FindingListDependencies & {
  readonly segments: () => readonly Segment[];
};

/** What is wrong, from traffic that passes anyway and from verifications. */
export class FindingService {
  readonly #dependencies: FindingServiceDependencies;
  readonly #findings: FindingList;
  readonly #watch: DhcpWatch;

  constructor(dependencies: FindingServiceDependencies) {
    this.#dependencies = dependencies;
    this.#findings = new FindingList(dependencies);
    this.#watch = new DhcpWatch(dependencies.clock.epochMs());
  }

  load(): Promise<void> {
    return this.#findings.load();
  }

  list(): readonly StoredFinding[] {
    return this.#findings.list();
  }

  ofComputer(macs: readonly string[]): readonly StoredFinding[] {
    return this.#findings.ofComputer(macs);
  }

  observe({ packet, sourceAddress, networkInterface }: ObservedDhcp): void {
    const { clock, segments } = this.#dependencies;
    if (packet.operation !== "request" || packet.hardwareAddress.byteLength !== MacAddress.sizeBytes) {
      return;
    }
    const mac = MacAddress.fromBytes(packet.hardwareAddress);
    if (isProbeMac(mac)) {
      return;
    }
    try {
      const type = messageType(packet.options);
      const kind = vendorClass(packet.options) ?? "";
      const { name: interfaceName, address, prefixLength } = networkInterface;
      const found = this.#watch.receive(
        {
          atMs: clock.epochMs(),
          interfaceName,
          subnet: Ipv4Subnet.of(address, prefixLength),
          sourceAddress,
          mac,
          isBootClient: kind.startsWith("PXEClient") || kind.startsWith("HTTPClient"),
          message: type === "discover" || type === "request" ? type : "other",
          secondsElapsed: packet.secondsElapsed,
          relay: readRelayTrace(packet),
          selectedServer: serverIdentifier(packet.options) ?? null,
          requestedAddress: leaseAskedFor(packet),
        },
        segments(),
      );
      this.#findings.note(found);
    } catch (error) {
      // Options of strangers may be anything; what needs them has counted them as malformed.
      if (!(error instanceof WireError)) {
        throw error;
      }
    }
  }

  seeBootEvents(events: readonly BootEvent[]): void {
    const segments = this.#dependencies.segments();
    this.#findings.note(events.flatMap((event) => findInBootEvent(event, segments)));
  }

  seeRogueDiscovery(sighting: RogueSighting): void {
    this.#findings.note(findRogueDiscovery(sighting, this.#dependencies.segments()));
  }

  /** A verification has looked at everything: what it does not find any more is over. */
  settle(evidence: SegmentEvidence, cells: readonly Cell[], remedies: RemedyBook): void {
    if (evidence.prober !== null) {
      const found = findInEvidence(evidence, cells, remedies);
      this.#findings.settle(evidence.segment.name, verifiedKinds, found);
    }
  }
}
