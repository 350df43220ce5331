import { spawn } from "node:child_process";
import { labProgram } from "./software.ts";

const answerMaxMs = 60_000;
const outputBytesMax = 64 << 10;

export type TypedLine = { readonly text: string; readonly answer: string };

/**
 * Works on a computer with `portolan computer terminal`, as an operator on the server would: types each line and waits for
 * what it must answer with.
 *
 * @param whileOpen is called once, after the first answer
 * @returns what the command has said of the session's port
 */
export async function useTerminal(given: {
  readonly dataDir: string;
  readonly computerId: string;
  readonly lines: readonly TypedLine[];
  readonly whileOpen: () => Promise<void>;
}): Promise<number> {
  const { dataDir, computerId, lines, whileOpen } = given;
  const command = [labProgram, "computer", "terminal", computerId, "--data", dataDir];
  const child = spawn("ip", ["netns", "exec", "server", ...command], { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  const add = (part: Buffer): void => {
    output = (output + part.toString("utf8")).slice(-outputBytesMax);
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  child.stdin.on("error", () => undefined);
  const waitFor = async (answer: string): Promise<void> => {
    const deadlineMs = performance.now() + answerMaxMs;
    while (!output.includes(answer)) {
      if (performance.now() > deadlineMs || child.exitCode !== null) {
        throw new Error(`the terminal of ${computerId} did not answer ${answer}:\n${output}`);
      }
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
    }
  };
  try {
    await waitFor("; Ctrl-] leaves it");
    const port = Number(/TCP port (\d+)/.exec(output)?.[1]);
    for (const [index, { text, answer }] of lines.entries()) {
      child.stdin.write(`${text}\n`);
      await waitFor(answer);
      if (index === 0) {
        await whileOpen();
      }
    }
    const ended = new Promise((resolve) => {
      child.once("exit", resolve);
    });
    child.stdin.write("exit\n");
    await ended;
    return port;
  } finally {
    child.kill("SIGKILL");
  }
}
