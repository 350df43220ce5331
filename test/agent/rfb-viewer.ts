import type { ChildProcess } from "node:child_process";
import type { HostProcess, NetworkHosts } from "../network-hosts.ts";

/** A VNC viewer of the test's own: RFB 3.8 (RFC 6143), raw pixels, on a host of its own. */
export class RfbViewer {
  readonly #process: HostProcess;

  constructor(hosts: NetworkHosts, host: string, port: number) {
    this.#process = hosts.start(
      host,
      process.execPath,
      ["test/agent/rfb-session.ts", String(port)],
      {},
      "pipe",
    );
  }

  /** Red, green and blue of one pixel, as `rrggbb`; the whole screen is asked for anew. */
  async pixel(x: number, y: number): Promise<string> {
    const before = this.#process.output().length;
    this.#process.child.stdin?.write(`pixel ${x} ${y}\n`);
    for (;;) {
      const found = /pixel ([0-9a-f]{6})\n/.exec(this.#process.output().slice(before));
      if (found !== null) {
        return found[1] ?? "";
      }
      if (this.#process.child.exitCode !== null) {
        throw new Error(`the viewer has ended:\n${this.#process.output()}`);
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
  }

  movePointer(x: number, y: number): void {
    this.#process.child.stdin?.write(`point ${x} ${y}\n`);
  }

  awaitEnd(): Promise<string> {
    return this.#process.waitFor("the session has ended", 60_000);
  }

  get child(): ChildProcess {
    return this.#process.child;
  }
}
