import {
  chmodSync,
  copyFileSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { compareFiles, type FileMark } from "#engine/package/file-difference.ts";
import { lookAtFiles, recordedFolders } from "./look-at-files.ts";

type Say = (text: string) => void;

/** Looks at the reference computer before an installer is run. */
export function recordBefore(file: string, say: Say, folders: readonly string[] = recordedFolders): void {
  const marks = lookAtFiles(folders);
  writeFileSync(file, JSON.stringify({ version: 1, folders, marks: [...marks] }), { mode: 0o600 });
  say(
    `${marks.size} files and folders noted in ${file}; now install, then: portolan agent record difference`,
  );
}

function quote(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}

function place(from: string, mark: FileMark, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  switch (mark.type) {
    case "folder":
      mkdirSync(to, { recursive: true });
      chmodSync(to, mark.mode);
      break;
    case "link":
      symlinkSync(mark.target ?? "", to);
      break;
    case "file":
      copyFileSync(from, to);
      chmodSync(to, mark.mode);
      break;
  }
  if (process.getuid?.() === 0) {
    lchownSync(to, mark.owner, mark.group);
  }
}

/**
 * Makes a bundle's folder of what has changed since `recordBefore`: new and changed files as they are now, and an install
 * script that removes what was removed. To be looked through before it is added: a busy computer changes more than the
 * installer did.
 *
 * @param root what paths on the computer begin with; `/` but in tests
 * @throws Error when the record is none, or the folder is there already
 */
export function recordDifference(file: string, folder: string, say: Say, root = "/"): void {
  const { version, folders, marks } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly version: number;
    readonly folders: string[];
    readonly marks: [string, FileMark][];
  };
  if (version !== 1) {
    throw new Error(`${file} is no record of this version`);
  }
  const after = lookAtFiles(folders);
  const { changed, removed } = compareFiles(new Map(marks), after);
  mkdirSync(folder, { mode: 0o755 });
  for (const path of changed) {
    const mark = after.get(path);
    if (mark !== undefined) {
      place(path, mark, join(folder, "files", relative(root, path)));
    }
  }
  const lines = removed
    .toReversed()
    .map((path) => quote(join("/", relative(root, path))))
    .map(
      (path) => `if [ -d ${path} ] && [ ! -L ${path} ]; then rmdir ${path} || true; else rm -f ${path}; fi\n`,
    );
  writeFileSync(join(folder, "install.sh"), `#!/bin/sh\n${lines.join("")}exit 0\n`, { mode: 0o755 });
  writeFileSync(
    join(folder, "package.yaml"),
    `name: ${basename(folder).replaceAll(/[^A-Za-z0-9._+-]/g, "-")}\nversion: "1"\n`,
  );
  say(
    `${changed.length} new or changed, ${removed.length} removed: in ${folder}; look it through, then: portolan package add`,
  );
}
