/** What a file system says of one file, folder or link. Absent things have no entry. */
export type FileMark = {
  readonly type: "file" | "folder" | "link";
  readonly mode: number;
  readonly owner: number;
  readonly group: number;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  /** Of content or of anything else; cannot be set back. */
  readonly changedAtMs: number;
  /** Where a link leads. */
  readonly target: string | null;
};

/** Keyed by absolute path. BOUNDED by the file system. */
export type FileMarks = ReadonlyMap<string, FileMark>;

/** What an installer did between two looks, in the order of paths. */
export type FileDifference = {
  /** New, or not what it was. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
};

function isSame(before: FileMark, after: FileMark): boolean {
  const isSameKind =
    before.type === after.type &&
    before.mode === after.mode &&
    before.owner === after.owner &&
    before.group === after.group &&
    before.target === after.target;
  // A folder changes with what is in it, which speaks for itself.
  return (
    isSameKind &&
    (after.type === "folder" ||
      (before.sizeBytes === after.sizeBytes &&
        before.modifiedAtMs === after.modifiedAtMs &&
        before.changedAtMs === after.changedAtMs))
  );
}

export function compareFiles(before: FileMarks, after: FileMarks): FileDifference {
  const changed: string[] = [];
  for (const [path, mark] of after) {
    const known = before.get(path);
    if (known === undefined || !isSame(known, mark)) {
      changed.push(path);
    }
  }
  const removed = [...before.keys()].filter((path) => !after.has(path));
  return { changed: changed.sort(), removed: removed.sort() };
}
