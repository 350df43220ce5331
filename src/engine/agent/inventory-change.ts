import type { DiskInventory, Inventory } from "#wire/control/inventory.ts";
import type { LinkNeighbour } from "#wire/control/network-card.ts";

/** Kernels keep different shares for themselves: less than this is no other memory. */
const memoryShareMin = 0.05;
const changeCountMax = 16;

const bytesPerGib = 1024 ** 3;

function gib(bytes: number): string {
  return `${(bytes / bytesPerGib).toFixed(1)} GiB`;
}

/** What stays of a disk when it is named otherwise by another kernel. */
function diskName({ model, serial, wwn, sizeBytes }: DiskInventory): string {
  return [model ?? "disk", gib(sizeBytes), serial ?? wwn].filter((part) => part !== null).join(" ");
}

/** Names that are in one list more often than in the other; two equal disks are two. */
function moreIn(more: readonly string[], less: readonly string[]): string[] {
  const left = [...less];
  return more.filter((name) => {
    const at = left.indexOf(name);
    if (at === -1) {
      return true;
    }
    left.splice(at, 1);
    return false;
  });
}

function describePlug({ systemName, chassisId, portId }: LinkNeighbour): string {
  return `${systemName ?? chassisId} port ${portId}`;
}

/** Cards that are plugged in elsewhere. A switch that says nothing now is no news: it speaks every 30 s. */
function describeMoves(before: Inventory, after: Inventory): string[] {
  // What early versions have stored has no cards.
  const cards = before.cards as Inventory["cards"] | undefined;
  return after.cards.flatMap(({ mac, name, neighbour }) => {
    const old = cards?.find((card) => card.mac === mac)?.neighbour ?? null;
    const [was, now] = [old, neighbour].map((each) => (each === null ? null : describePlug(each)));
    return was !== null && now !== null && was !== now
      ? [`${name} is plugged into ${now ?? ""}, was ${was ?? ""}`]
      : [];
  });
}

/**
 * What has become of a computer since it was last seen, a sentence for each part. Addresses and names of a boot are no change
 * of the computer. BOUNDED by `changeCountMax`.
 */
export function describeInventoryChange(before: Inventory, after: Inventory): string[] {
  const memoryDifference = Math.abs(after.memoryBytes - before.memoryBytes);
  const hasOtherMemory = memoryDifference > memoryShareMin * Math.max(before.memoryBytes, after.memoryBytes);
  const [disksBefore, disksAfter] = [before.disks.map(diskName), after.disks.map(diskName)];
  const texts = [
    ["product", before.product, after.product],
    ["serial", before.serial, after.serial],
    ["firmware", before.firmware, after.firmware],
    ["processor", before.processor, after.processor],
    ["operating system", before.operatingSystem, after.operatingSystem],
    ["Secure Boot", before.isSecureBoot ? "on" : "off", after.isSecureBoot ? "on" : "off"],
    ["processors", String(before.processorCount), String(after.processorCount)],
    ...(hasOtherMemory ? [["memory", gib(before.memoryBytes), gib(after.memoryBytes)] as const] : []),
  ] as const;
  return [
    ...texts
      .filter(([, old, now]) => old !== null && now !== null && old !== now)
      .map(([name, old, now]) => `${name}: ${now}, was ${old}`),
    ...moreIn(disksAfter, disksBefore).map((name) => `disk added: ${name}`),
    ...moreIn(disksBefore, disksAfter).map((name) => `disk gone: ${name}`),
    ...moreIn(after.macs, before.macs).map((mac) => `network card added: ${mac}`),
    ...moreIn(before.macs, after.macs).map((mac) => `network card gone: ${mac}`),
    ...describeMoves(before, after),
  ].slice(0, changeCountMax);
}
