import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export type SourceFile = { readonly path: string; readonly text: string };

/** TypeScript and JavaScript files that git knows or would add, relative to the repository's root. */
export function listSourceFiles(): SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    encoding: "utf8",
  });
  const paths = [...new Set(listed.split("\0"))].filter((path) => /\.(ts|tsx|mjs)$/.test(path));
  return paths.flatMap((path) => {
    const text = readIfPresent(path);
    return text === null ? [] : [{ path, text }];
  });
}

/** A file that git lists may be deleted in the work tree. */
function readIfPresent(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return null;
    }
    throw error;
  }
}
