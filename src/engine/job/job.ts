import type { DetectionRule, NetworkConfiguration, PackageKind } from "#wire/control/os-task-message.ts";
import type { CodeRule } from "./code-rule.ts";
import type { Condition } from "./condition.ts";
import type { MaintenanceWindow } from "./maintenance-window.ts";
import type { Schedule } from "./schedule.ts";

/** Which of our two systems a task needs under the agent. */
export type Environment = "preboot" | "os";

/** How a task names the disk it writes. Never by kernel order. */
export type DiskRule =
  | "only-disk"
  | { readonly serial: string }
  | { readonly wwn: string }
  | { readonly model: string }
  | { readonly byPath: string }
  | { readonly sizeBytes: number };

/** What is to be done to a disk beyond the image itself. Becomes the options of each computer's own task. */
export type RestoreRequest = {
  readonly resize: { readonly partition: "last" | number; readonly mayShrink: boolean } | null;
  readonly hasNewIds: boolean;
  readonly hasBootEntry: boolean;
  readonly identity: IdentityRequest | null;
};

export type IdentityRequest = {
  /** May hold `{name}`, `{serial}` and `{mac}` of the computer; `null`: the image's stays. */
  readonly hostName: string | null;
  /** Keyed by computer id or name. BOUNDED by the computers of the job. */
  readonly addresses: Readonly<
    Record<
      string,
      {
        readonly address: string;
        readonly prefixLength: number;
        readonly gateway: string | null;
        readonly nameServers: readonly string[];
      }
    >
  >;
  readonly unattend: string | null;
};

/** A file or package of the store: what a job carries cannot change after it was created. */
export type TaskContent = { readonly contentId: string; readonly sizeBytes: number };

export type TaskWork =
  | {
      readonly kind: "deploy-image";
      /** Image id: the SHA-256 of its manifest. */
      readonly imageId: string;
      readonly imageName: string;
      readonly disk: DiskRule;
      /** Absent: exactly the image. */
      readonly options?: RestoreRequest;
    }
  | {
      readonly kind: "capture-image";
      readonly imageName: string;
      readonly disk: DiskRule;
      /** Obstacles are noted in the image instead of stopping. */
      readonly isForced: boolean;
      /** The image can be deployed while it comes: the disk is read twice for it. Absent: no. */
      readonly isStreamed?: boolean;
    }
  | {
      /** A distribution's own installer, started from preboot with answers of this computer. */
      readonly kind: "deploy-installer";
      readonly installerName: string;
      /** Kernel and initrd of the installer, one after the other. */
      readonly content: TaskContent;
      readonly kernelSizeBytes: number;
      /** Of the installer and of the task together; may hold variables. */
      readonly commandLine: string;
      /** The answer file, with variables: may hold secrets. `null`: the installer asks nobody for one. */
      readonly answers: { readonly fileName: string; readonly template: string } | null;
      /** What the variable `domain` stands for. */
      readonly domain: string | null;
      /** From the installer's start to the connection of the agent it installs. */
      readonly timeoutMs: number;
    }
  | {
      readonly kind: "run-script";
      readonly script: string;
      readonly interpreter: string;
      readonly environment: Environment;
      readonly timeoutMs: number;
      /** Begun again when a restart swallowed its outcome; otherwise the run fails and says so. */
      readonly isRepeatable?: boolean;
    }
  | {
      readonly kind: "copy-file";
      /** `null`: an empty file. */
      readonly content: TaskContent | null;
      /** Where it came from, for people. */
      readonly source: string;
      readonly destination: string;
      readonly mode: number | null;
      readonly environment: Environment;
    }
  | {
      readonly kind: "install-package";
      readonly packageName: string;
      readonly version: string;
      readonly packageKind: PackageKind;
      readonly fileName: string;
      readonly args: readonly string[];
      readonly detection: DetectionRule;
      readonly timeoutMs: number;
      readonly content: TaskContent;
    }
  | {
      readonly kind: "uninstall-package";
      readonly packageName: string;
      readonly packageKind: PackageKind;
      readonly command: readonly string[];
      readonly detection: DetectionRule;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: "set-configuration";
      /** May hold `{name}`, `{serial}` or `{mac}` of the computer. */
      readonly hostName: string | null;
      readonly domain: string | null;
      readonly network: NetworkConfiguration | null;
    }
  | { readonly kind: "inventory" }
  | {
      readonly kind: "capture-user-data";
      readonly name: string;
      readonly paths: readonly string[];
      readonly exclude: readonly string[];
    }
  | {
      readonly kind: "restore-user-data";
      readonly name: string;
      /** Whose data; `null`: its own. */
      readonly fromComputerId: string | null;
    }
  | { readonly kind: "wake" }
  | { readonly kind: "restart" }
  | { readonly kind: "power-off" }
  | { readonly kind: "wait"; readonly durationMs: number };

/** What is the same for tasks of every kind. */
export type TaskRules = {
  /** Where a return code may jump to. */
  readonly name?: string;
  /** First match; without one, 0 goes on and anything else stops the run. */
  readonly codes?: readonly CodeRule[];
  /** A failure is tried again, so many times altogether, each pause twice as long as the one before. */
  readonly retry?: { readonly attempts: number; readonly delayMs: number };
};

export type Task = TaskWork & TaskRules;

/** Tasks for the computers that a condition holds for. */
export type ConditionSet = {
  readonly name: string;
  readonly when: Condition;
  readonly tasks: readonly Task[];
};

/** An ordered list of tasks, done by every computer it is assigned to. Never changed after it was created. */
export type Job = {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** In order: the first whose condition holds when a run starts gives it its tasks. */
  readonly conditions: readonly ConditionSet[];
  /** For a computer that no condition holds for; may be empty when there are conditions. */
  readonly tasks: readonly Task[];
  readonly schedule: Schedule | null;
  /** Tasks begin only inside of these; none: at any time. */
  readonly windows: readonly MaintenanceWindow[];
  /** Runs that are under way at the same time; `null`: all of them. */
  readonly concurrency: number | null;
};

/** A job with these tasks and nothing else: now, on every computer, all at once. */
export function plainJob(id: string, name: string, tasks: readonly Task[], createdAtMs: number): Job {
  return {
    id,
    name,
    createdAtMs,
    conditions: [],
    tasks,
    schedule: null,
    windows: [],
    concurrency: null,
  };
}

/** All tasks of a job, of every condition. */
export function allTasksOf(job: Job): readonly Task[] {
  return [...job.conditions.flatMap(({ tasks }) => tasks), ...job.tasks];
}
