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

export type Task =
  | {
      readonly kind: "deploy-image";
      /** Image id: the SHA-256 of its manifest, so what a job writes cannot change after it was created. */
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
    }
  | {
      readonly kind: "run-script";
      readonly script: string;
      readonly interpreter: string;
      readonly environment: Environment;
      readonly timeoutMs: number;
    }
  | { readonly kind: "restart" }
  | { readonly kind: "power-off" };

/** An ordered list of tasks, done by every computer it is assigned to. Never changed after it was created. */
export type Job = {
  readonly id: string;
  readonly name: string;
  readonly tasks: readonly Task[];
  readonly createdAtMs: number;
};

/** Where a task runs; `any` when it does not matter. */
export function taskEnvironment(task: Task): Environment | "any" {
  switch (task.kind) {
    case "deploy-image":
    case "capture-image":
      return "preboot";
    case "run-script":
      return task.environment;
    case "restart":
    case "power-off":
      return "any";
  }
}

/** All runs of one deploy task of a job share one session, so that they share one transmission. */
export function sessionKeyOf(jobId: string, taskIndex: number): string {
  return `${jobId}:${taskIndex}`;
}
