import { existsSync } from "node:fs";
import { homedir } from "node:os";
import type { TerminalSize } from "#platform/linux/terminal.ts";
import type { RemoteConnection } from "./remote-connection.ts";

/** The first of these that is there. Preboot has busybox' alone. */
const shells = ["/bin/bash", "/bin/ash", "/bin/sh"] as const;

/** A login shell in a terminal of its own, shown to an operator until one of both ends it. */
export async function serveTerminal(connection: RemoteConnection, size: TerminalSize): Promise<void> {
  if (process.platform !== "linux") {
    throw new Error(`terminals are not built for ${process.platform} yet`);
  }
  const { openTerminal } = await import("#platform/linux/terminal.ts");
  const shell = shells.find((path) => existsSync(path)) ?? "/bin/sh";
  await new Promise<void>((resolve) => {
    const terminal = openTerminal(
      {
        program: shell,
        args: ["-l"],
        cwd: existsSync(homedir()) ? homedir() : "/",
        env: {
          PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin",
          HOME: homedir(),
          SHELL: shell,
          TERM: "xterm-256color",
          LANG: process.env["LANG"] ?? "C.UTF-8",
        },
        size,
      },
      {
        output: (bytes) => {
          if (!connection.bytes(bytes)) {
            // The program waits for its reader, as it would on a slow line.
            terminal.pause();
            connection.drained().then(
              () => terminal.resume(),
              () => terminal.hangUp(),
            );
          }
        },
        end: (exitCode) => {
          connection.news({ type: "exited", exitCode });
          connection.end();
          resolve();
        },
      },
    );
    connection.handle({
      order: (order) => {
        if (order.type === "resize") {
          terminal.resize(order);
        }
      },
      bytes: (bytes) => terminal.write(bytes),
      close: () => {
        terminal.hangUp();
        resolve();
      },
    });
  });
}
