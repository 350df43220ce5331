import { type ChildProcess, spawn } from "node:child_process";

export type ProgramRun = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** The end of what it printed, both streams mixed, is kept up to this size. */
  readonly outputBytesMax: number;
  /** Ends the program as the time-out does. */
  readonly signal?: AbortSignal;
};

export type ProgramOutcome =
  | { readonly type: "exited"; readonly exitCode: number; readonly output: string }
  | {
      readonly type: "killed";
      readonly because: "timeout" | "cancelled" | "signal";
      /** `SIGKILL` when we ended it. */
      readonly signal: string;
      readonly output: string;
    }
  | { readonly type: "not-started"; readonly reason: string };

/** How long a program that has ended may leave its output open, which those it left in the background do. */
const outputGraceMs = 500;

/** The program and all it started: `detached` made it the leader of a process group. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // It was gone first.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) {
      throw error;
    }
  }
}

/** The last bytes of a stream. BOUNDED by `sizeBytesMax` plus one read. */
class OutputTail {
  readonly #sizeBytesMax: number;
  #bytes = Buffer.alloc(0);

  constructor(sizeBytesMax: number) {
    this.#sizeBytesMax = sizeBytesMax;
  }

  append(part: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, part]).subarray(-this.#sizeBytesMax);
  }

  text(): string {
    return this.#bytes.toString("utf8");
  }
}

/**
 * Runs a program to its end, without a shell and without input. At the time limit, or when cancelled, it is killed with
 * everything it started; what a program that ended well left in the background is left alone.
 */
export function runProgram(run: ProgramRun): Promise<ProgramOutcome> {
  if (run.signal?.aborted === true) {
    return Promise.resolve({ type: "not-started", reason: "cancelled before it started" });
  }
  const child = spawn(run.program, run.args, {
    cwd: run.cwd,
    env: run.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const tail = new OutputTail(run.outputBytesMax);
  child.stdout.on("data", (part: Buffer) => tail.append(part));
  child.stderr.on("data", (part: Buffer) => tail.append(part));
  return new Promise((resolve) => {
    let because: "timeout" | "cancelled" | "signal" = "signal";
    const kill = (reason: "timeout" | "cancelled"): void => {
      because = reason;
      killGroup(child);
    };
    const timer = setTimeout(() => kill("timeout"), run.timeoutMs);
    const cancel = (): void => kill("cancelled");
    run.signal?.addEventListener("abort", cancel, { once: true });
    const settle = (outcome: ProgramOutcome): void => {
      clearTimeout(timer);
      run.signal?.removeEventListener("abort", cancel);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(outcome);
    };
    child.once("error", (error) => settle({ type: "not-started", reason: error.message }));
    child.once("exit", (exitCode, signal) => {
      // From here on its number may belong to another program.
      clearTimeout(timer);
      run.signal?.removeEventListener("abort", cancel);
      const finish = (): void => {
        clearTimeout(grace);
        settle(
          signal === null
            ? { type: "exited", exitCode: exitCode ?? 0, output: tail.text() }
            : { type: "killed", because, signal, output: tail.text() },
        );
      };
      const grace = setTimeout(finish, outputGraceMs);
      child.once("close", finish);
    });
  });
}
