import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { openTerminal } from "./terminal.ts";

const skip = existsSync("/dev/ptmx") ? false : "needs pseudo-terminals";

function run(
  script: string,
  type: (write: (text: string) => void) => void,
): Promise<[string, number | null]> {
  return new Promise((resolve) => {
    let output = "";
    const terminal = openTerminal(
      {
        program: "/bin/sh",
        args: ["-c", script],
        cwd: "/",
        env: { PATH: "/usr/bin:/bin", TERM: "xterm-256color" },
        size: { columns: 90, rows: 33 },
      },
      {
        output: (bytes) => {
          output += Buffer.from(bytes).toString("utf8");
          if (output.includes("more?")) {
            output = output.replace("more?", "");
            terminal.resize({ columns: 101, rows: 44 });
            type((text) => terminal.write(Buffer.from(text)));
          }
        },
        end: (exitCode) => resolve([output, exitCode]),
      },
    );
  });
}

test(
  "terminal: the program has a controlling terminal of the size it was given, and its size follows",
  { skip },
  async () => {
    const script =
      "stty size; printf more?; read answer; stty size; tty; echo got $answer > /dev/tty; exit 3";
    const [output, exitCode] = await run(script, (write) => write("yes\n"));
    assert.equal(exitCode, 3);
    assert.match(output, /33 90\r\n/);
    assert.match(output, /44 101\r\n\/dev\/pts\/\d+\r\ngot yes\r\n/);
  },
);

test("terminal: ^C reaches the program in it", { skip }, async () => {
  // What says "more?" is what ^C ends: typed between two programs it would wait for the second.
  const script = 'trap "echo caught; exit 5" INT; sh -c "printf more?; exec sleep 20"; echo late';
  const [output] = await run(script, (write) => write("\u0003"));
  assert.match(output, /caught/);
  assert.doesNotMatch(output, /late/);
});
