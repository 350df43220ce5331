import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { X11Display } from "#platform/linux/desktop.ts";

/**
 * Display and authority of whoever sits in front of the computer, from the environment of their session. A user of Wayland
 * has an X11 display too, but it shows almost nothing: theirs is not taken for the desktop.
 *
 * @param wanted takes this display alone, such as `:0`; `null`: the first
 */
export function findDisplay(wanted: string | null): X11Display | null {
  const processes = existsSync("/proc") ? readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)) : [];
  for (const processId of processes) {
    try {
      const words = readFileSync(`/proc/${processId}/environ`, "latin1").split("\0");
      const find = (name: string): string | undefined =>
        words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
      const [display, authorityPath] = [find("DISPLAY"), find("XAUTHORITY")];
      if (
        display !== undefined &&
        /^:[0-9]{1,4}(\.[0-9]{1,2})?$/.test(display) &&
        (wanted === null || display === wanted) &&
        authorityPath?.startsWith("/") === true &&
        existsSync(authorityPath)
      ) {
        return { display, authorityPath };
      }
    } catch (error) {
      // Ended meanwhile, or a process of the kernel.
      if (!(error instanceof Error && "code" in error)) {
        throw error;
      }
    }
  }
  return null;
}
