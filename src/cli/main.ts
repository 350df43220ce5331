import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isProgramName, programs } from "./programs.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

// `portolan … | head` closes the pipe when it has seen enough; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") {
    process.exit(0);
  }
  throw error;
});

const args = process.argv.slice(2);
const [first, ...rest] = args;
if (isProgramName(first)) {
  process.execve?.(
    process.execPath,
    [process.execPath, "--disable-warning=ExperimentalWarning", join(root, programs[first].path), ...rest],
    process.env,
  );
}
// Only now: a program that takes our place needs none of the commands.
const { runCommand } = await import("./command-line.ts");
await runCommand(args);
