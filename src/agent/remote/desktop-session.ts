import { desktopObstacle, openDesktop, type X11Display } from "#platform/linux/desktop.ts";
import type { RemoteConnection } from "./remote-connection.ts";

/** Why the desktop cannot be shown, or `null`. Asked before the user is, and before anything is opened. */
export function whyNoDesktop(display: X11Display | null): string | null {
  if (process.platform !== "linux") {
    return `desktops are not shown on ${process.platform} yet`;
  }
  return display === null
    ? "nobody uses an X11 display on this computer; Wayland sessions are not shown"
    : desktopObstacle();
}

/** The display of this computer, shown to one operator by RFB until one of both ends it. */
export async function serveDesktop(
  connection: RemoteConnection,
  given: X11Display & { readonly isViewOnly: boolean },
): Promise<void> {
  await new Promise<void>((resolve) => {
    const desktop = openDesktop(given, {
      output: (bytes) => {
        if (!connection.bytes(bytes)) {
          desktop.pause();
          connection.drained().then(
            () => desktop.resume(),
            () => desktop.end(),
          );
        }
      },
      end: (problem) => {
        if (problem !== null) {
          connection.news({ type: "error", reason: problem.slice(0, 1000) });
        }
        connection.end();
        resolve();
      },
    });
    connection.handle({
      // What a desktop is told is inside of its own protocol.
      order: () => undefined,
      bytes: (bytes) => {
        if (!desktop.write(bytes)) {
          connection.pause();
          desktop.drained().then(
            () => connection.resume(),
            () => desktop.end(),
          );
        }
      },
      close: () => {
        desktop.end();
        resolve();
      },
    });
  });
}
