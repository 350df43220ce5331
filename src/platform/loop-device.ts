import { runProgram } from "./run-program.ts";

/** A part of a disk as a block device of its own, for programs that want one. */
export type LoopDevice = {
  readonly path: string;
  detach(): Promise<void>;
};

const timeoutMs = 30_000;

async function losetup(args: readonly string[]): Promise<string> {
  const outcome = await runProgram({ program: "losetup", args, timeoutMs, outputBytesMax: 1024 });
  if (outcome.type !== "exited" || outcome.exitCode !== 0) {
    const why = outcome.type === "not-started" ? outcome.reason : outcome.output.trim();
    throw new Error(`losetup ${args.join(" ")} failed: ${why}`);
  }
  return outcome.output.trim();
}

/** Works without the kernel knowing the disk's partition table, on devices and on files. Root only. */
export async function attachLoop(
  path: string,
  part: { readonly startBytes: number; readonly sizeBytes: number; readonly isReadOnly: boolean },
): Promise<LoopDevice> {
  const { startBytes, sizeBytes, isReadOnly } = part;
  const loopPath = await losetup([
    ...(isReadOnly ? ["--read-only"] : []),
    ...["--find", "--show", "--offset", String(startBytes), "--sizelimit", String(sizeBytes), path],
  ]);
  return { path: loopPath, detach: async () => void (await losetup(["--detach", loopPath])) };
}
