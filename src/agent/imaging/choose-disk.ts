import type { DiskInventory } from "#wire/control/inventory.ts";

export type DiskChoice =
  | { readonly type: "chosen"; readonly disk: DiskInventory }
  | { readonly type: "refused"; readonly reason: string };

/** Name, size, model and serial, as somebody before the open computer needs them. */
export function describeDisk(disk: DiskInventory): string {
  const facts = [disk.model, disk.serial === null ? null : `serial ${disk.serial}`].filter(
    (fact) => fact !== null,
  );
  return `${disk.name} (${[`${(disk.sizeBytes / 1e9).toFixed(1)} GB`, ...facts].join(", ")})`;
}

function matcher(rule: unknown): ((disk: DiskInventory) => boolean) | null {
  if (rule === "only-disk") {
    return (disk) => !disk.isRemovable;
  }
  if (typeof rule !== "object" || rule === null) {
    return null;
  }
  const [entry, ...others] = Object.entries(rule);
  if (entry === undefined || others.length > 0) {
    return null;
  }
  const [field, wanted] = entry as [string, unknown];
  switch (field) {
    case "serial":
    case "wwn":
    case "model":
    case "byPath":
      return (disk) => disk[field] === wanted;
    case "sizeBytes":
      return (disk) => disk.sizeBytes === wanted;
    default:
      return null;
  }
}

/** The disk a rule means. Never by kernel order: none, or more than one, is a refusal that lists what there is. */
export function chooseDisk(
  rule: unknown,
  disks: readonly DiskInventory[],
  imageSizeBytes: number,
): DiskChoice {
  const matches = matcher(rule);
  if (matches === null) {
    return { type: "refused", reason: `the disk rule ${JSON.stringify(rule)} is not known to this agent` };
  }
  const found = disks.filter(matches);
  const [disk, ...others] = found;
  if (disk === undefined) {
    const seen =
      disks.length === 0
        ? "no disk was found; is a driver missing?"
        : `there are: ${disks.map(describeDisk).join(", ")}`;
    return { type: "refused", reason: `no disk fits the rule ${JSON.stringify(rule)}; ${seen}` };
  }
  if (others.length > 0) {
    return {
      type: "refused",
      reason: `more than one disk fits the rule ${JSON.stringify(rule)}: ${found.map(describeDisk).join(", ")}; name one by its serial`,
    };
  }
  if (disk.sizeBytes < imageSizeBytes) {
    const needed = (imageSizeBytes / 1e9).toFixed(1);
    return {
      type: "refused",
      reason: `the image needs ${needed} GB and the disk is smaller: ${describeDisk(disk)}`,
    };
  }
  return { type: "chosen", disk };
}
