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
  /** The computer was reached, and what was run there has failed. */
  readonly isRemote: boolean;

  constructor(message: string, isRemote = false) {
    super(message);
    this.name = "SshError";
    this.isRemote = isRemote;
  }
}

/** Host names and addresses; nothing that ssh could take for an option. */
export function isHostName(text: string): boolean {
  return /^([a-z_][a-z0-9_.-]*@)?[A-Za-z0-9][A-Za-z0-9.:_-]{0,253}$/.test(text);
}

function commonOptions({ user, configPath }: SshOptions): string[] {
  return [
    ...(configPath === null ? [] : ["-F", configPath]),
    ...["-o", "BatchMode=yes", "-o", `ConnectTimeout=${connectTimeoutSeconds}`],
    // Quoted: names of Windows have spaces. sftp has no `-l` for it.
    ...(user === null ? [] : ["-o", `User="${user}"`]),
  ];
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
  input: Readable | string = "",
): Promise<string> {
  return runClient("ssh", [...commonOptions(options), "--", host, command], input);
}

/** A word of sftp(1)'s batch: quotes keep spaces, and keep it from looking for files that match. */
function quote(word: string): string {
  return `"${word.replaceAll(/["\\]/g, "\\$&")}"`;
}

/**
 * Copies a file to a computer.
 *
 * @param folders are made there first, the outermost first; the last may not exist yet
 * @throws SshError
 */
export async function putBySftp(
  host: string,
  options: SshOptions,
  given: { readonly path: string; readonly folders: readonly string[]; readonly remotePath: string },
): Promise<void> {
  const { path, folders, remotePath } = given;
  const batch = [
    // "-": it may exist already.
    ...folders.map((folder, index) => `${index === folders.length - 1 ? "" : "-"}mkdir ${quote(folder)}`),
    `put ${quote(path)} ${quote(remotePath)}`,
  ];
  // Unlike ssh, sftp takes what follows a colon for a path.
  const [, login = "", name = ""] = /^(.*@)?(.*)$/.exec(host) ?? [];
  const place = name.includes(":") ? `${login}[${name}]` : host;
  const args = ["-b", "-", ...commonOptions(options), "--", place];
  await runClient("sftp", args, `${batch.join("\n")}\n`).catch((error: unknown) => {
    throw error instanceof SshError && error.message.includes("subsystem request failed")
      ? new SshError(
          "its ssh server has no sftp; add the line Subsystem sftp sftp-server.exe to its sshd_config",
        )
      : error;
  });
}

/** OpenSSH's own failures end with this code. */
const ownFailure = 255;

function runClient(
  program: "ssh" | "sftp",
  args: readonly string[],
  input: Readable | string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
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
    if (typeof input === "string") {
      child.stdin.end(input);
    } else {
      input.on("error", (error) => child.stdin.destroy(error));
      input.pipe(child.stdin);
    }
    child.once("error", (error) => reject(new SshError(`${program}: ${error.message}`)));
    child.once("close", (exitCode) => {
      if (exitCode === 0) {
        resolve(output);
        return;
      }
      const last = `${problems}\n${output}`.split("\n").map((line) => line.trim());
      const text = last.filter((line) => line !== "").slice(-3);
      const isRemote = exitCode !== null && exitCode !== ownFailure;
      reject(new SshError(text.join("; ") || `${program} ended with ${exitCode}`, isRemote));
    });
  });
}
