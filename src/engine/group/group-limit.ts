import { type ComputerGroup, withNested } from "./group-tree.ts";

/**
 * Lists of group ids that somebody is limited to: what is inside is in each of them. More than one comes from a token beside the
 * account that made it. None: the whole site. An id that is no group any more holds nothing.
 */
export type GroupLimits = readonly (readonly string[])[];

/** Ids of the groups inside all limits, with everything in them; `null`: the whole site. */
export function groupsInside(
  groups: readonly ComputerGroup[],
  limits: GroupLimits,
): ReadonlySet<string> | null {
  const [first, ...others] = limits.map((ids) => withNested(groups, ids));
  return first === undefined ? null : others.reduce((inside, other) => inside.intersection(other), first);
}
