import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "./cli-context.ts";

/** From a terminal twice and unseen; from a pipe the first line. */
export async function readNewPassword(name: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    const reader = createInterface({ input: stdin });
    for await (const line of reader) {
      reader.close();
      return line;
    }
    throw new UsageError("no password was given on standard input");
  }
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: stdin, output: silence, terminal: true });
  try {
    stderr.write(`New password for ${name} (at least 10 characters): `);
    const first = await reader.question("");
    stderr.write("\nOnce more: ");
    const second = await reader.question("");
    stderr.write("\n");
    if (first !== second) {
      throw new UsageError("the two passwords are not the same; nothing was changed");
    }
    return first;
  } finally {
    reader.close();
  }
}
