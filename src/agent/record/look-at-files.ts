import { lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { join } from "node:path";
import type { FileMark } from "#engine/package/file-difference.ts";

/** Where software puts its files. */
export const recordedFolders = ["/etc", "/home", "/opt", "/root", "/srv", "/usr", "/var/lib", "/var/www"];

/** What changes by itself, or is about this one computer. */
const ignoredFolders = new Set([
  "/etc/machine-id",
  "/var/lib/portolan",
  "/var/lib/portolan-agent",
  "/var/lib/systemd",
  "/var/lib/dhcp",
  "/var/lib/NetworkManager",
  "/var/lib/private",
  "/usr/share/man/index.db",
]);

function markOf(path: string, status: Stats): FileMark | null {
  const type = status.isFile()
    ? "file"
    : status.isDirectory()
      ? "folder"
      : status.isSymbolicLink()
        ? "link"
        : null;
  return type === null
    ? null
    : {
        type,
        mode: status.mode & 0o7777,
        owner: status.uid,
        group: status.gid,
        sizeBytes: status.size,
        modifiedAtMs: status.mtimeMs,
        changedAtMs: status.ctimeMs,
        target: type === "link" ? readlinkSync(path) : null,
      };
}

/** Every file, folder and link below these folders; sockets, devices and what vanishes meanwhile are left out. */
export function lookAtFiles(
  folders: readonly string[],
  isIgnored: (path: string) => boolean = (path) => ignoredFolders.has(path),
): Map<string, FileMark> {
  const marks = new Map<string, FileMark>();
  const waiting = [...folders];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (isIgnored(path)) {
      continue;
    }
    try {
      const mark = markOf(path, lstatSync(path));
      if (mark !== null) {
        marks.set(path, mark);
      }
      if (mark?.type === "folder") {
        for (const name of readdirSync(path)) {
          waiting.push(join(path, name));
        }
      }
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) {
        throw error;
      }
    }
  }
  return marks;
}
