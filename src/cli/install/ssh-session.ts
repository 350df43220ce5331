import { spawn } from "node:child_process";
import type { Readable } from "node:stream";

export type SshOptions = {
  readonly user: string | null;
  /** Another configuration than the operator's own; ssh_config(5). */
  readonly configPath: string | null;
};

const outputBytesMax = 64 << 10;
const connectTimeoutSeconds = 15;

/** OpenSSH said no, or the command on the computer did. The message is the last it printed. */
export class SshError extends Error {
  readonly code = "ssh-failed";

  constructor(message: string) {
    super(message);
    this.name = "SshError";
  }
}

/** Host names and addresses; nothing that ssh could take for an option. */
export function isHostName(text: string): boolean {
  return /^([a-z_][a-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.:_-]{0,253}$/.test(text);
}

/**
 * Runs one command on a computer with the operator's own ssh, keys and known hosts; nothing is asked on the way.
 *
 * @param command is read by the shell of that computer: constant text, or words that were checked
 * @throws SshError
 */
export function runBySsh(
  host: string,
  command: string,
  options: SshOptions,
  input: Readable | string | null = null,
): Promise<string> {
  const args = [
    ...(options.configPath === null ? [] : ["-F", options.configPath]),
    ...["-o", "BatchMode=yes", "-o", `ConnectTimeout=${connectTimeoutSeconds}`],
    ...(options.user === null ? [] : ["-l", options.user]),
    ...["--", host, command],
  ];
  return new Promise((resolve, reject) => {
    const child = spawn("ssh", args, { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let problems = "";
    child.stdout.on("data", (part: Buffer) => {
      output = (output + part.toString("utf8")).slice(-outputBytesMax);
    });
    child.stderr.on("data", (part: Buffer) => {
      problems = (problems + part.toString("utf8")).slice(-outputBytesMax);
    });
    // The other end may end before it has read everything; its exit code says why.
    child.stdin.on("error", () => undefined);
    if (input === null || typeof input === "string") {
      child.stdin.end(input ?? "");
    } else {
      input.on("error", (error) => child.stdin.destroy(error));
      input.pipe(child.stdin);
    }
    child.once("error", (error) => reject(new SshError(`ssh: ${error.message}`)));
    child.once("close", (exitCode) => {
      if (exitCode === 0) {
        resolve(output);
        return;
      }
      const last = `${problems}\n${output}`
        .trim()
        .split("\n")
        .filter((line) => line !== "");
      reject(new SshError(last.slice(-3).join("; ") || `ssh ended with ${exitCode}`));
    });
  });
}
