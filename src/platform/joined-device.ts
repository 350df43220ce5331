import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoopDevice } from "./loop-device.ts";
import { runProgram } from "./run-program.ts";

const sectorBytes = 512;

async function dmsetup(args: readonly string[]): Promise<void> {
  const outcome = await runProgram({ program: "dmsetup", args, timeoutMs: 30_000, outputBytesMax: 1024 });
  if (outcome.type !== "exited" || outcome.exitCode !== 0) {
    const why = outcome.type === "not-started" ? outcome.reason : outcome.output.trim();
    throw new Error(`two block devices could not be joined (device mapper): ${why}`);
  }
}

/** Two block devices as one, the second behind the first. Root only; needs the kernel's device mapper. */
export async function joinDevices(
  name: string,
  parts: readonly { readonly path: string; readonly sizeBytes: number }[],
): Promise<LoopDevice> {
  let startSector = 0;
  const lines = parts.map(({ path, sizeBytes }) => {
    const sectors = sizeBytes / sectorBytes;
    const line = `${startSector} ${sectors} linear ${path} 0\n`;
    startSector += sectors;
    return line;
  });
  const folder = await mkdtemp(join(tmpdir(), "portolan-join-"));
  try {
    const tablePath = join(folder, "table");
    await writeFile(tablePath, lines.join(""));
    // Without udev nobody else makes the node.
    await dmsetup(["create", name, "--noudevsync", tablePath]);
    await dmsetup(["mknodes", name]);
  } finally {
    await rm(folder, { recursive: true });
  }
  return {
    path: `/dev/mapper/${name}`,
    detach: () => dmsetup(["remove", "--retry", "--noudevsync", name]),
  };
}
