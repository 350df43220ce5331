import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runProgram } from "./run-program.ts";

export type DiskFile = {
  readonly path: string;
  readonly content: string | Buffer;
  /** Octal: 0600. Its folder, where it is made, has no more. */
  readonly mode: "0600" | "0644";
};

/**
 * Writes files into an ext4 file system without mounting it, in place of what was there. A folder of theirs that is missing
 * is made, its parent must be there.
 *
 * @param fileSystem a path, with the offset in it where it is a part of a disk
 */
export async function writeDiskFiles(fileSystem: string, files: readonly DiskFile[]): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "portolan-disk-files-"));
  try {
    const commands: string[] = [];
    for (const [index, { path, content, mode }] of files.entries()) {
      const from = join(work, String(index));
      await writeFile(from, content);
      const folder = dirname(path);
      // debugfs goes on after a command that fails: a folder that is there already, a file that is not.
      commands.push(`mkdir ${folder}`, `rm ${path}`, `write ${from} ${path}`, `sif ${path} mode 010${mode}`);
    }
    const commandsPath = join(work, "commands");
    await writeFile(commandsPath, `${commands.join("\n")}\n`);
    await runProgram("debugfs", ["-w", "-f", commandsPath, fileSystem]);
    // debugfs ends with 0 whatever happened, so what it wrote is read back.
    for (const { path, content } of files) {
      const copyPath = join(work, "copy");
      await runProgram("debugfs", ["-R", `dump ${path} ${copyPath}`, fileSystem]);
      if (!(await readFile(copyPath)).equals(Buffer.from(content))) {
        throw new Error(`${path} could not be written into ${fileSystem}`);
      }
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
