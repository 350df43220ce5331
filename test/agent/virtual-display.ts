import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestEnd } from "../network-hosts.ts";

/** A display without a screen, with somebody who uses it. */
export class VirtualDisplay {
  readonly name: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(name: string, authorityPath: string) {
    this.name = name;
    this.#env = { ...process.env, DISPLAY: name, XAUTHORITY: authorityPath };
  }

  static async start(t: TestEnd, folder: string, size = "640x480"): Promise<VirtualDisplay> {
    // Each has its own file, as under a display manager: a server whose file is emptied lets every local user in.
    const serverAuthorityPath = join(folder, "Xauthority-server");
    const authorityPath = join(folder, "Xauthority");
    writeFileSync(serverAuthorityPath, "");
    writeFileSync(authorityPath, "");
    const cookie = randomBytes(16).toString("hex");
    const server = spawn(
      "Xvfb",
      [
        "-displayfd",
        "3",
        "-screen",
        "0",
        `${size}x24`,
        "-noreset",
        "-nolisten",
        "tcp",
        "-auth",
        serverAuthorityPath,
      ],
      { stdio: ["ignore", "ignore", "ignore", "pipe"] },
    );
    // Any display number: it reads the key when its first client comes.
    execFileSync("xauth", ["-q", "-f", serverAuthorityPath, "add", ":0", ".", cookie]);
    t.after(() => void server.kill("SIGKILL"));
    const name = await new Promise<string>((resolve, reject) => {
      server.once("exit", () => reject(new Error("Xvfb has ended")));
      server.stdio[3]?.once("data", (part: Buffer) => resolve(`:${part.toString("utf8").trim()}`));
    });
    execFileSync("xauth", ["-q", "-f", authorityPath, "add", name, ".", cookie]);
    const display = new VirtualDisplay(name, authorityPath);
    display.open(t, "sleep", "600");
    return display;
  }

  /** A program that stays on the display until the end. */
  open(t: TestEnd, program: string, ...args: readonly string[]): void {
    const opened = spawn(program, args, { env: this.#env, stdio: "ignore" });
    t.after(() => void opened.kill("SIGKILL"));
  }

  run(program: string, ...args: readonly string[]): string {
    return execFileSync(program, args, { env: this.#env, encoding: "utf8", timeout: 60_000 });
  }

  /** Waits for our dialog and presses its first button, which xmessage puts below the text on the left. */
  pressFirstButton(): void {
    const id = this.run("xdotool", "search", "--sync", "--onlyvisible", "--name", "^Portolan$").trim();
    const height = /Height: ([0-9]+)|HEIGHT=([0-9]+)/.exec(
      this.run("xdotool", "getwindowgeometry", "--shell", id),
    );
    const y = Number(height?.[1] ?? height?.[2]) - 14;
    this.run("xdotool", "mousemove", "--window", id, "24", String(y), "click", "1");
  }

  /** Where the pointer is, as `x,y`. */
  pointer(): string {
    const [x, y] = this.run("xdotool", "getmouselocation").matchAll(/[xy]:([0-9]+)/g);
    return `${x?.[1]},${y?.[1]}`;
  }
}
