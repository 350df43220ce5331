/** A group of computers. Groups form a tree; a computer is in one of them or in none. */
export type ComputerGroup = {
  readonly id: string;
  readonly name: string;
  /** The group it is in; `null`: it stands at the top. */
  readonly parentId: string | null;
};

/** Between the names of a path, so that no name may hold it. */
export const pathSeparator = "/";

/** More levels than this no tree on a screen is read by. */
export const groupDepthMax = 16;
const nameLengthMax = 64;

/** Why a group cannot be as asked, as a sentence; `null`: it can. */
export type GroupObjection = string | null;

/** A group with those it is in, outermost first. BOUNDED by `groupDepthMax`, also where the stored tree has a circle. */
function lineage(groups: readonly ComputerGroup[], id: string): readonly ComputerGroup[] {
  const line: ComputerGroup[] = [];
  let next: string | null = id;
  while (next !== null && line.length < groupDepthMax) {
    const found: ComputerGroup | undefined = groups.find((group) => group.id === next);
    if (found === undefined) {
      break;
    }
    line.unshift(found);
    next = found.parentId;
  }
  return line;
}

/** Its names from the top, such as `Building A/LAB1`: what tells two groups of one name apart. */
export function formatGroupPath(groups: readonly ComputerGroup[], id: string): string {
  return lineage(groups, id)
    .map(({ name }) => name)
    .join(pathSeparator);
}

/** The groups with these ids and everything in them, by id. Ids that are no group are left out. */
export function withNested(groups: readonly ComputerGroup[], ids: readonly string[]): ReadonlySet<string> {
  const found = new Set(ids.filter((id) => groups.some((group) => group.id === id)));
  let sizeBefore = -1;
  while (found.size > sizeBefore) {
    sizeBefore = found.size;
    for (const { id, parentId } of groups) {
      if (parentId !== null && found.has(parentId)) {
        found.add(id);
      }
    }
  }
  return found;
}

/** Groups that a word means: by id, by path, else by name, where several may have one name. */
export function matchGroups(groups: readonly ComputerGroup[], word: string): readonly ComputerGroup[] {
  const exact = groups.filter(({ id }) => id === word || formatGroupPath(groups, id) === word);
  return exact.length > 0 ? exact : groups.filter(({ name }) => name === word);
}

/** Whether a group may be called and stand like this. `groups` may hold it as it was before. */
export function judgeGroup(groups: readonly ComputerGroup[], wanted: ComputerGroup): GroupObjection {
  const { id, name, parentId } = wanted;
  if (name.trim() !== name || name === "" || name.length > nameLengthMax || /[/\p{Cc}]/u.test(name)) {
    return `a group's name has 1 to ${nameLengthMax} characters, no ${pathSeparator} and no space at its ends`;
  }
  const others = groups.filter((group) => group.id !== id);
  if (parentId !== null && !others.some((group) => group.id === parentId)) {
    return parentId === id ? "a group cannot be in itself" : `there is no group ${parentId}`;
  }
  if (parentId !== null && withNested(groups, [id]).has(parentId)) {
    return `${formatGroupPath(groups, parentId)} is in ${name}; a group cannot be in itself`;
  }
  if (others.some((group) => group.parentId === parentId && group.name === name)) {
    return `there is a group ${name} at this place already`;
  }
  const depth = (parentId === null ? 0 : lineage(groups, parentId).length) + heightOf(groups, id);
  return depth > groupDepthMax ? `groups are nested ${groupDepthMax} deep at most` : null;
}

/** Levels from a group down to the deepest in it, 1 when it has none. */
function heightOf(groups: readonly ComputerGroup[], id: string): number {
  const nested = [...withNested(groups, [id])];
  const depths = nested.map((one) => lineage(groups, one).length);
  return Math.max(1, ...depths.map((depth) => depth - lineage(groups, id).length + 1));
}
