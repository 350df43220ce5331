import { dirname, join, normalize } from "node:path";
import type { Document } from "./document.ts";

/**
 * What is wrong with one link, or `null`. Addresses of other sites are not asked: documents must be checkable offline.
 *
 * @param isThere whether a file or folder is there, by its path from the repository's root
 */
export function judgeLink(
  documents: ReadonlyMap<string, Document>,
  from: Document,
  given: { readonly target: string; readonly isThere: (path: string) => boolean },
): string | null {
  const { target, isThere } = given;
  if (/^(?:https?|mailto):/.test(target)) {
    return null;
  }
  const [place = "", anchor] = decodeURI(target).split("#");
  const path = place === "" ? from.path : normalize(join(dirname(from.path), place)).replace(/\/$/, "");
  if (place.startsWith("/") || path.startsWith("..")) {
    return `${target} leaves the repository; links are relative`;
  }
  if (!isThere(path)) {
    return `${target} leads nowhere: there is no ${path}`;
  }
  if (anchor === undefined) {
    return null;
  }
  const document = documents.get(path);
  if (document === undefined) {
    return `${target}: only Markdown documents have anchors`;
  }
  return document.anchors.has(anchor) ? null : `${target}: ${path} has no heading #${anchor}`;
}
