import type { ComputerResource } from "#api/computer-api.ts";
import type { GroupResource } from "#api/group-api.ts";
import { text } from "../../text/text.ts";
import { type CurrentRun, statusKeys, statusOf } from "./computer-status.ts";

/**
 * Computers that belong together. `folder`: a group of the site, or with `group` null all that are in none; `filter`: the
 * visitor's own, kept in this browser.
 */
export type Group = {
  readonly key: string;
  readonly title: string;
  readonly contains: (computer: ComputerResource) => boolean;
} & (
  | { readonly kind: "all" | "status" | "segment" | "filter" }
  | {
      readonly kind: "folder";
      readonly group: GroupResource | null;
      /** 0: it stands at the top. */
      readonly depth: number;
      /** Of the group and of those in it. */
      readonly inside: ReadonlySet<string>;
    }
);
export type Folder = Extract<Group, { kind: "folder" }>;

type SegmentLike = { readonly name: string; readonly cidr: string };

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function isInside(address: string, cidr: string): boolean {
  const [network = "", length = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  return Math.floor(toNumber(address) / size) === Math.floor(toNumber(network) / size);
}

/** Every word must occur in something that names the computer. */
export function matchesText(computer: ComputerResource, wanted: string): boolean {
  const { id, name, macs, uuid, serial, address, product, state } = computer;
  const all = [id, name, ...macs, uuid, serial, address, product, state].join(" ").toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

const collator = new Intl.Collator(undefined, { numeric: true });

/** In the order of a tree. */
function walkTree(
  groups: readonly GroupResource[],
  parentId: string | null = null,
  depth = 0,
): { readonly group: GroupResource; readonly depth: number; readonly inside: ReadonlySet<string> }[] {
  return groups
    .filter((group) => group.parentId === parentId)
    .toSorted((a, b) => collator.compare(a.name, b.name))
    .flatMap((group) => {
      const nested = walkTree(groups, group.id, depth + 1);
      const inside = new Set([group.id, ...nested.map(({ group: { id } }) => id)]);
      return [{ group, depth, inside }, ...nested];
    });
}

/** The site's groups, and when there are some, who is in none of them. */
export function listFolders(groups: readonly GroupResource[]): Folder[] {
  if (groups.length === 0) {
    return [];
  }
  return [
    ...walkTree(groups).map(({ group, depth, inside }) => ({
      key: `folder:${group.id}`,
      title: group.name,
      kind: "folder" as const,
      group,
      depth,
      inside,
      contains: ({ groupId }: ComputerResource) => groupId !== null && inside.has(groupId),
    })),
    {
      key: "folder:",
      title: text.groups.none,
      kind: "folder" as const,
      group: null,
      depth: 0,
      inside: new Set<string>(),
      contains: ({ groupId }: ComputerResource) => groupId === null,
    },
  ];
}

/** What a person has written into the filter field, under a name, within what was chosen then. */
export type SavedFilter = { readonly name: string; readonly words: string; readonly within: string };

const foldedKey = "portolan.folded";
const filtersKey = "portolan.filters";
const filterCountMax = 30;

function readList(key: string): readonly unknown[] {
  const kept: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
  return Array.isArray(kept) ? kept : [];
}

/** Ids of groups whose nested groups this visitor has put out of sight. */
export function readFolded(): ReadonlySet<string> {
  return new Set(readList(foldedKey).filter((id) => typeof id === "string"));
}

export function keepFolded(folded: ReadonlySet<string>): void {
  localStorage.setItem(foldedKey, JSON.stringify([...folded]));
}

function isSavedFilter(value: unknown): value is SavedFilter {
  return (
    typeof value === "object" &&
    value !== null &&
    ["name", "words", "within"].every((key) => typeof (value as Record<string, unknown>)[key] === "string")
  );
}

/** Those kept before filters had names were words alone. */
export function readFilters(): readonly SavedFilter[] {
  return readList(filtersKey)
    .map((kept) => (typeof kept === "string" ? { name: kept, words: kept, within: "all" } : kept))
    .filter(isSavedFilter)
    .slice(0, filterCountMax);
}

export function keepFilters(filters: readonly SavedFilter[]): void {
  localStorage.setItem(filtersKey, JSON.stringify(filters.slice(-filterCountMax)));
}

export function listGroups(
  runs: ReadonlyMap<string, CurrentRun>,
  folders: readonly Folder[],
  segments: readonly SegmentLike[],
  filters: readonly SavedFilter[],
): Group[] {
  const own: readonly Group[] = [
    { key: "all", title: text.work.allComputers, kind: "all", contains: () => true },
    ...folders,
    ...statusKeys.map((key) => ({
      key: `status:${key}`,
      title: text.status[key],
      kind: "status" as const,
      contains: (computer: ComputerResource) => statusOf(computer, runs.get(computer.id)).key === key,
    })),
    ...segments.map(({ name, cidr }) => ({
      key: `segment:${name}`,
      title: name,
      kind: "segment" as const,
      contains: ({ address }: ComputerResource) => address !== null && isInside(address, cidr),
    })),
  ];
  return [
    ...own,
    ...filters.map(({ name, words, within }) => {
      const outer = own.find(({ key }) => key === within);
      return {
        key: `filter:${name}`,
        title: name,
        kind: "filter" as const,
        contains: (computer: ComputerResource) =>
          // What it was within may be gone; then it shows nothing, and not more than its name says.
          outer?.contains(computer) === true && matchesText(computer, words),
      };
    }),
  ];
}

export type Counted = { readonly entry: Group; readonly ids: readonly string[] };

/** Who is in each. Folders may be many, so they do not look at every computer one after the other. */
export function countMembers(groups: readonly Group[], computers: readonly ComputerResource[]): Counted[] {
  const byGroup = Map.groupBy(computers, ({ groupId }) => groupId);
  return groups.map((entry) => {
    const members =
      entry.kind !== "folder"
        ? computers.filter(entry.contains)
        : [...(entry.group === null ? [null] : entry.inside)].flatMap((id) => byGroup.get(id) ?? []);
    return { entry, ids: members.map(({ id }) => id) };
  });
}
