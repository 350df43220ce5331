import type { RouteBody } from "#api/contract.ts";

type TaskRequest = NonNullable<RouteBody<"createJob">["tasks"]>[number];

/** What is said to an installer, as it is typed; what is empty is left to the server. */
export type Installation = {
  readonly answers: string;
  readonly domain: string;
  readonly answersName: string;
  readonly commandLine: string;
  /** Such as `90 min`. */
  readonly timeout: string;
};

export const emptyInstallation: Installation = {
  ...{ answers: "", domain: "", answersName: "", commandLine: "", timeout: "" },
};

export function toInstallerTask(installer: string, typed: Installation): TaskRequest {
  const [domain, answersName, commandLine, timeoutMs] = [
    ...[typed.domain, typed.answersName, typed.commandLine, typed.timeout].map((word) => word.trim()),
  ];
  return {
    ...{ kind: "deploy-installer", installer },
    ...(typed.answers.trim() === "" ? {} : { answers: typed.answers }),
    ...(domain ? { domain } : {}),
    ...(answersName ? { answersName } : {}),
    ...(commandLine ? { commandLine } : {}),
    ...(timeoutMs ? { timeoutMs } : {}),
  };
}
