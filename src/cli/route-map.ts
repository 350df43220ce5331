import { buildCommand, buildRouteMap } from "@stricli/core";
import { apiCommand, type CliContext, UsageError } from "./cli-context.ts";
import { completionScripts, type ShellName } from "./completion.ts";
import { tokenCommand, userCommand } from "./commands/account-commands.ts";
import { auditCommand } from "./commands/audit-command.ts";
import { bootCommand } from "./commands/boot-command.ts";
import { computerCommand } from "./commands/computer-command.ts";
import { decodeCommand } from "./commands/decode-command.ts";
import { groupCommand } from "./commands/group-command.ts";
import { imageCommand } from "./commands/image-command.ts";
import { initialDeploymentCommand } from "./commands/initial-deployment-command.ts";
import { installerCommand } from "./commands/installer-command.ts";
import { deployCommand, jobCommand } from "./commands/job-command.ts";
import { packageCommand } from "./commands/package-command.ts";
import { planCommand } from "./commands/plan-command.ts";
import { segmentCommand } from "./commands/segment-command.ts";
import { sessionCommand } from "./commands/session-command.ts";
import { settingsCommand } from "./commands/settings-command.ts";
import { statusCommand } from "./commands/status-command.ts";
import { type ProgramName, programs } from "./programs.ts";

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

/** Every command of `portolan`, with its arguments and flags; documents are checked against it. */
export const routeMap = buildRouteMap({
  docs: { brief: "Portolan, a deployment server that charts its own ports" },
  routes: {
    serve: programEntry("serve"),
    status: statusCommand,
    settings: settingsCommand,
    plan: planCommand,
    segment: segmentCommand,
    boot: bootCommand,
    computer: computerCommand,
    group: groupCommand,
    image: imageCommand,
    package: packageCommand,
    installer: installerCommand,
    job: jobCommand,
    deploy: deployCommand,
    initialDeployment: initialDeploymentCommand,
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
});
