import type { Facts } from "#engine/job/condition.ts";
import { findSegment, type Segment } from "#plan/segment.ts";
import type { StoredComputer } from "#store/computer-store.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { ComputerTexts } from "./task-messages.ts";

function segmentName(address: string | null, segments: readonly Segment[]): string | null {
  return address === null || !Ipv4Address.isValid(address)
    ? null
    : (findSegment(segments, address)?.name ?? null);
}

/** What conditions may ask of a computer, from its record and its last inventory. What nobody has said is `null`. */
export function factsOf(computer: StoredComputer | null, segments: readonly Segment[]): Facts {
  if (computer === null) {
    return {};
  }
  const { name, serial, uuid, macs, address, inventory } = computer;
  const sizes = (inventory?.disks ?? []).map(({ sizeBytes }) => sizeBytes);
  return {
    ...{ name, serial, uuid, mac: macs, address },
    segment: segmentName(address, segments),
    hostName: inventory?.hostName ?? null,
    model: inventory?.product ?? null,
    firmware: inventory?.firmware ?? null,
    secureBoot: inventory?.isSecureBoot ?? null,
    processor: inventory?.processor ?? null,
    processorCount: inventory?.processorCount ?? null,
    memoryBytes: inventory?.memoryBytes ?? null,
    diskCount: inventory === null ? null : sizes.length,
    diskBytes: sizes.length === 0 ? null : Math.max(...sizes),
    diskModel: (inventory?.disks ?? []).map(({ model }) => model).filter((model) => model !== null),
    operatingSystem: inventory?.operatingSystem ?? null,
  };
}

/** What texts of a task may name. */
export function textsOf(computer: StoredComputer | null): ComputerTexts {
  return {
    name: computer?.name ?? "",
    serial: computer?.serial ?? "",
    mac: computer?.macs[0] ?? "",
  };
}
