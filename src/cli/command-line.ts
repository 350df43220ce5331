import {
  type Application,
  ArgumentScannerError,
  formatMessageForArgumentScannerError,
  buildApplication,
  proposeCompletions,
  run,
  type StricliDynamicCommandContext,
  text_en,
} from "@stricli/core";
import type { CliContext } from "./cli-context.ts";
import { routeMap } from "./route-map.ts";

const application: Application<CliContext> = buildApplication(routeMap, {
  name: "portolan",
  scanner: { caseStyle: "allow-kebab-for-camel" },
  determineExitCode: (error) => (isUsage(error) ? 2 : 1),
  localization: {
    text: {
      ...text_en,
      exceptionWhileRunningCommand: describeError,
      commandErrorResult: describeError,
      exceptionWhileParsingArguments: describeError,
    },
  },
});

/** Wrong input has the code 2, whoever found it: the command line, a file it read, or the server. */
function isUsage(error: unknown): boolean {
  const codes = ["usage", "unknown-setting", "bad-setting-value", "bad-request", "bad-config"];
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Expected errors have a code and a message that helps; anything else is our bug and shows its stack. */
function describeError(error: unknown): string {
  if (error instanceof ArgumentScannerError) {
    return `portolan: ${formatMessageForArgumentScannerError(error, {})}`;
  }
  if (error instanceof Error && "code" in error) {
    return `portolan: ${error.message}`;
  }
  return `portolan: this is a bug: ${error instanceof Error ? error.stack : String(error)}`;
}

/** Node types `exitCode` a little wider than stricli does. */
const context = { process } as unknown as StricliDynamicCommandContext<CliContext>;

/** Runs one command that asks a server, and sets the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runCommand(args: readonly string[]): Promise<void> {
  const [first, ...rest] = args;
  if (first === "__complete") {
    const found = await proposeCompletions(application, rest, context);
    process.stdout.write(found.map((item) => `${item.completion}\n`).join(""));
    return;
  }
  await run(application, args, context);
  // stricli reports wrong usage by negative codes.
  if (typeof process.exitCode === "number" && process.exitCode < 0) {
    process.exitCode = 2;
  }
}
