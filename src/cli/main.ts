import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Application,
  ArgumentScannerError,
  formatMessageForArgumentScannerError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  proposeCompletions,
  run,
  type StricliDynamicCommandContext,
  text_en,
} from "@stricli/core";
import { apiCommand, type CliContext, UsageError } from "./cli-context.ts";
import { completionScripts, type ShellName } from "./completion.ts";
import { auditCommand, tokenCommand, userCommand } from "./commands/account-commands.ts";
import { bootCommand } from "./commands/boot-command.ts";
import { computerCommand } from "./commands/computer-command.ts";
import { decodeCommand } from "./commands/decode-command.ts";
import { imageCommand } from "./commands/image-command.ts";
import { deployCommand, jobCommand } from "./commands/job-command.ts";
import { packageCommand } from "./commands/package-command.ts";
import { planCommand } from "./commands/plan-command.ts";
import { segmentCommand } from "./commands/segment-command.ts";
import { sessionCommand } from "./commands/session-command.ts";
import { settingsCommand } from "./commands/settings-command.ts";
import { statusCommand } from "./commands/status-command.ts";
import { isProgramName, type ProgramName, programs } from "./programs.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Stands in the table for help and suggestions; `main` has started the program before stricli sees the word. */
function programEntry(name: ProgramName) {
  return apiCommand({ brief: programs[name].brief, run: () => Promise.resolve({ json: null, text: "" }) });
}

const completionsCommand = buildCommand<object, [ShellName], CliContext>({
  docs: { brief: "Print the completion script of a shell: bash, zsh or fish" },
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [{ placeholder: "SHELL", brief: "bash, zsh or fish", parse: parseShell }],
    },
  },
  func(this: CliContext, _flags: object, shell: ShellName) {
    this.process.stdout.write(completionScripts[shell]);
  },
});

function parseShell(text: string): ShellName {
  if (!Object.hasOwn(completionScripts, text)) {
    throw new UsageError(`there is no script for ${text}; there are bash, zsh and fish`);
  }
  return text as ShellName;
}

const application: Application<CliContext> = buildApplication(
  buildRouteMap({
    docs: { brief: "Portolan, a deployment server that charts its own ports" },
    routes: {
      serve: programEntry("serve"),
      status: statusCommand,
      settings: settingsCommand,
      plan: planCommand,
      segment: segmentCommand,
      boot: bootCommand,
      computer: computerCommand,
      image: imageCommand,
      package: packageCommand,
      job: jobCommand,
      deploy: deployCommand,
      session: sessionCommand,
      agent: programEntry("agent"),
      user: userCommand,
      token: tokenCommand,
      audit: auditCommand,
      decode: decodeCommand,
      lab: programEntry("lab"),
      bench: programEntry("bench"),
      completions: completionsCommand,
    },
  }),
  {
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
  },
);

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

async function main(args: readonly string[]): Promise<void> {
  const [first, ...rest] = args;
  if (isProgramName(first)) {
    process.execve?.(
      process.execPath,
      [process.execPath, "--disable-warning=ExperimentalWarning", join(root, programs[first].path), ...rest],
      process.env,
    );
  }
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

// `portolan … | head` closes the pipe when it has seen enough; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") {
    process.exit(0);
  }
  throw error;
});

await main(process.argv.slice(2));
