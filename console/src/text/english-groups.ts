const plural = (count: number, one: string, many: string): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** Words of the groups of computers. */
export const englishGroups = {
  groups: {
    title: "Groups",
    none: "In no group",
    add: "New group …",
    addTitle: "New group",
    addInside: "New group in it …",
    change: "Rename or move …",
    changeTitle: (name: string) => `The group ${name}`,
    remove: "Remove …",
    removeTitle: (name: string) => `Remove the group ${name}`,
    removeHint: (above: string | null) =>
      above === null
        ? "Its computers are in no group then; groups in it stand at the top."
        : `Its computers and the groups in it go to ${above}.`,
    removeDo: "Remove the group",
    name: "Name",
    parent: "In",
    top: "the top",
    make: "Make the group",
    fold: (name: string) => `Groups in ${name}`,
    menu: (name: string) => `What to do with ${name}`,
    empty: "no computer is in it",
    moveTo: "Move to a group …",
    moveTitle: (count: number) => `Move ${plural(count, "computer", "computers")}`,
    moveDo: "Move",
    moved: (count: number, name: string | null) =>
      name === null
        ? `${plural(count, "computer is", "computers are")} in no group now`
        : `${plural(count, "computer is", "computers are")} in ${name} now`,
    made: (path: string) => `The group ${path} is made`,
    changed: (path: string) => `The group is ${path} now`,
    removed: (name: string) => `The group ${name} is removed`,
    woken: (count: number) =>
      count === 0
        ? "All of its computers are awake"
        : `${plural(count, "computer is", "computers are")} woken`,
    group: "Group",
  },
};
