import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "./cli-context.ts";

/** The first line of a pipe. @throws UsageError */
async function readLine(): Promise<string> {
  const reader = createInterface({ input: process.stdin });
  for await (const line of reader) {
    reader.close();
    return line;
  }
  throw new UsageError("nothing was given on standard input");
}

/** Asks at a terminal for what is not to be seen. */
async function askUnseen<Answer>(
  ask: (question: (prompt: string) => Promise<string>) => Promise<Answer>,
): Promise<Answer> {
  const { stdin, stderr } = process;
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: stdin, output: silence, terminal: true });
  try {
    return await ask(async (prompt) => {
      stderr.write(prompt);
      const answer = await reader.question("");
      stderr.write("\n");
      return answer;
    });
  } finally {
    reader.close();
  }
}

/** From a terminal unseen; from a pipe the first line. */
export function readSecret(prompt: string): Promise<string> {
  return process.stdin.isTTY ? askUnseen((question) => question(prompt)) : readLine();
}

/** From a terminal twice and unseen; from a pipe the first line. */
export async function readNewPassword(name: string): Promise<string> {
  if (!process.stdin.isTTY) {
    return readLine();
  }
  return askUnseen(async (question) => {
    const first = await question(`New password for ${name} (at least 10 characters): `);
    if (first !== (await question("Once more: "))) {
      throw new UsageError("the two passwords are not the same; nothing was changed");
    }
    return first;
  });
}
