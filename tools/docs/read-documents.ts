import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { type Document, readDocument } from "./document.ts";
import { type CommandNames, judgeCommand } from "./judge-command.ts";
import { judgeLink } from "./judge-links.ts";

/** Markdown of the repository's root and of docs/, by path. History and licences make no promises. */
export function readDocuments(): Map<string, Document> {
  const listed = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
    {
      encoding: "utf8",
    },
  );
  const paths = [...new Set(listed.split("\0"))].filter(
    (path) => /^(?:docs\/.*|[^/]+)\.md$/.test(path) && path !== "CHANGELOG.md" && existsSync(path),
  );
  return new Map(paths.toSorted().map((path) => [path, readDocument(path, readFileSync(path, "utf8"))]));
}

export function readCommandNames(): CommandNames {
  const measurements = readdirSync("bench").map((file) => file.replace(/\.ts$/, ""));
  return { measurements };
}

/** Each complaint as `path:line: what is wrong`. */
export function judgeDocuments(
  documents: ReadonlyMap<string, Document>,
  given: { readonly isThere: (path: string) => boolean; readonly names: CommandNames },
): string[] {
  const complaints: string[] = [];
  for (const document of documents.values()) {
    const complain = (line: number, what: string | null): void => {
      if (what !== null) {
        complaints.push(`${document.path}:${line}: ${what}`);
      }
    };
    for (const { target, line } of document.links) {
      complain(line, judgeLink(documents, document, { target, isThere: given.isThere }));
    }
    for (const { text, line, isComplete } of document.commands) {
      complain(line, judgeCommand(text, isComplete, given.names));
    }
  }
  return complaints;
}
