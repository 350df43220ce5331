import type { ComputerResource } from "#api/computer-api.ts";
import { text } from "../../text/text.ts";
import { type CurrentRun, statusKeys, statusOf } from "./computer-status.ts";

/** Computers that belong together. `filter` groups are the visitor's own, kept in this browser. */
export type Group = {
  readonly key: string;
  readonly title: string;
  readonly kind: "all" | "status" | "segment" | "filter";
  readonly contains: (computer: ComputerResource) => boolean;
};

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

const filtersKey = "portolan.filters";
const filterCountMax = 30;

export function readFilters(): readonly string[] {
  const kept: unknown = JSON.parse(localStorage.getItem(filtersKey) ?? "[]");
  return Array.isArray(kept) ? kept.filter((item) => typeof item === "string").slice(0, filterCountMax) : [];
}

export function keepFilters(filters: readonly string[]): void {
  localStorage.setItem(filtersKey, JSON.stringify(filters.slice(-filterCountMax)));
}

export function listGroups(
  runs: ReadonlyMap<string, CurrentRun>,
  segments: readonly SegmentLike[],
  filters: readonly string[],
): Group[] {
  return [
    { key: "all", title: text.work.allComputers, kind: "all", contains: () => true },
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
    ...filters.map((filter) => ({
      key: `filter:${filter}`,
      title: filter,
      kind: "filter" as const,
      contains: (computer: ComputerResource) => matchesText(computer, filter),
    })),
  ];
}
