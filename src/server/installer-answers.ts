import { createHash } from "node:crypto";
import {
  AnswerError,
  agentInstallLine,
  type AnswerValues,
  renderAnswers,
} from "#engine/installer/answers.ts";
import type { TaskWork } from "#engine/job/job.ts";
import type { StoredComputer } from "#store/computer-store.ts";
import {
  answersLengthMax,
  commandLineLengthMax,
  type InstallerTaskMessage,
} from "#wire/control/installer-task-message.ts";
import type { AgentDownloads } from "./agent-downloads.ts";
import { toHostName } from "./restore-options.ts";
import type { ControlLink } from "./services/control-service.ts";

export type InstallerTask = Extract<TaskWork, { kind: "deploy-installer" }>;

/** What of an installer's task is made for one computer alone. */
export type RenderedInstaller = Pick<InstallerTaskMessage, "commandLine" | "answers">;

export type AnswerSources = {
  readonly find: (computerId: string) => StoredComputer | null;
  readonly agentDownloads: Pick<AgentDownloads, "script">;
  readonly siteKeyFingerprint: string;
  readonly consolePort: number;
};

/** @throws AnswerError when something that the answers name is not known of this computer */
export async function renderInstaller(
  { commandLine, answers, domain }: InstallerTask,
  link: Pick<ControlLink, "computerId" | "address" | "serverAddress">,
  sources: AnswerSources,
): Promise<RenderedInstaller> {
  const computer = sources.find(link.computerId);
  const server = String(link.serverAddress);
  const serverUrl = `https://${server}:${sources.consolePort}`;
  const script = await sources.agentDownloads.script();
  const values: AnswerValues = {
    name: computer?.name ?? null,
    hostName: computer === null ? null : toHostName("{name}", computer),
    serial: computer?.serial ?? null,
    mac: computer?.macs[0] ?? null,
    uuid: computer?.uuid ?? null,
    address: String(link.address),
    ...{ domain, server, serverUrl, keyFingerprint: sources.siteKeyFingerprint },
    agentInstall: agentInstallLine(serverUrl, createHash("sha256").update(script).digest("hex")),
  };
  const rendered = {
    commandLine: renderAnswers(commandLine, values),
    answers:
      answers === null ? null : { fileName: answers.fileName, text: renderAnswers(answers.template, values) },
  };
  if (rendered.commandLine.length > commandLineLengthMax) {
    throw new AnswerError(`the installer's command line is longer than ${commandLineLengthMax} characters`);
  }
  if ((rendered.answers?.text.length ?? 0) > answersLengthMax) {
    throw new AnswerError(`the answers are longer than ${answersLengthMax} characters`);
  }
  return rendered;
}
