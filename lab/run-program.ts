import { spawn } from "node:child_process";

/** A program of the lab failed. The message holds the end of what it printed. */
export class ProgramError extends Error {
  readonly code = "program-failed";

  constructor(program: string, how: string, output: string) {
    super(
      `${program} ${how}:\n${output
        .split("\n")
        .slice(-15)
        .map((line) => line.slice(0, 300))
        .join("\n")}`,
    );
    this.name = "ProgramError";
  }
}

export type RunOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly input?: string;
};

/** Runs a program without a shell to its end. @throws ProgramError */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: options.timeoutMs ?? 600_000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (part: Buffer) => {
      stdout += part.toString("utf8");
    });
    child.stderr.on("data", (part: Buffer) => {
      stderr += part.toString("utf8");
    });
    child.once("error", (error) => reject(new ProgramError(program, "could not be started", error.message)));
    child.once("close", (code, signal) => {
      if (code === 0) {
        resolve(stdout);
      } else {
        const how = signal === null ? `ended with ${code}` : `was ended by ${signal}`;
        reject(new ProgramError([program, ...args].join(" ").slice(0, 200), how, `${stdout}${stderr}`));
      }
    });
    // A program that ends without reading its input says why by its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
  });
}
