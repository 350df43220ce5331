import type { TaskRequest } from "#api/task-schema.ts";
import { AnswerError, type AnswerVariable, listVariables } from "#engine/installer/answers.ts";
import type { InstallerStore } from "#store/installer-store.ts";
import { ApiError } from "./api-error.ts";
import type { InstallerTask } from "./installer-answers.ts";

export type InstallerSources = {
  readonly installers: Pick<InstallerStore, "find">;
  /** Whether the line that installs the agent would find one. */
  readonly hasAgent: () => Promise<boolean>;
};

function refuse(message: string): never {
  throw new ApiError(400, "bad-request", message);
}

/**
 * The task as it is kept: what its texts name is looked at now, and filled in for each computer when it gets them.
 *
 * @throws ApiError, StoreError `not-found`
 */
export async function readInstallerTask(
  request: Extract<TaskRequest, { kind: "deploy-installer" }>,
  { installers, hasAgent }: InstallerSources,
): Promise<InstallerTask> {
  const { kind, answers, answersFile, answersName, domain = null, timeoutMs } = request;
  if (answersFile !== undefined) {
    refuse("answersFile is read by the command line; send answers");
  }
  const { definition, contentId, sizeBytes } = await installers.find(request.installer);
  const commandLine = `${definition.commandLine} ${request.commandLine}`.trim();
  const variables = readVariables([commandLine, answers ?? ""]);
  if (variables.includes("domain") && domain === null) {
    refuse("the answers name {{domain}}; say it with domain");
  }
  if (variables.includes("agentInstall") && !(await hasAgent())) {
    refuse("{{agentInstall}}: no agent is there to be fetched; portolan computer pull-command builds one");
  }
  return {
    ...{ kind, installerName: definition.name, kernelSizeBytes: definition.kernelSizeBytes },
    ...{ content: { contentId, sizeBytes }, commandLine, domain, timeoutMs },
    answers: answers === undefined ? null : { fileName: answersName, template: answers },
  };
}

function readVariables(texts: readonly string[]): readonly AnswerVariable[] {
  try {
    return texts.flatMap(listVariables);
  } catch (error) {
    if (error instanceof AnswerError) {
      refuse(error.message);
    }
    throw error;
  }
}
