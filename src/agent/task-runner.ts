import type { ServerImagingMessage } from "#wire/control/imaging-messages.ts";
import type { AgentMessage, Environment, TaskReport } from "#wire/control/message.ts";
import type { TaskMessage } from "#wire/control/task-message.ts";
import type { TaskAgain, TaskContext, TaskOutcome, TaskProgress } from "./task.ts";
import { bootDiskNext } from "./tasks/next-boot.ts";
import { changePower } from "./tasks/power.ts";
import { runScript } from "./tasks/run-script.ts";

export type TaskRunnerDependencies = Pick<
  TaskContext,
  "network" | "serverAddress" | "siteKeyFingerprint" | "identity" | "disks" | "say"
> & {
  readonly environment: Environment;
  /** Where what outlives the agent is kept; `null` in preboot. */
  readonly stateDir: string | null;
  /** Dropped when there is no connection. */
  readonly send: (message: AgentMessage) => void;
  /** A task has ended, and may have changed what is installed. */
  readonly onFinished: () => void;
  /** Ends the connection in order before the power goes. */
  readonly flush: () => Promise<void>;
};

type RunningTask = {
  report: TaskReport;
  progress: TaskProgress | null;
  progressSentAtMs: number;
  readonly abort: AbortController;
  onMessage: ((message: ServerImagingMessage | TaskAgain) => void) | null;
};

const taskCountMax = 64;
const progressDelayMs = 500;

/** Does tasks, each key once, across connections: what was done is remembered and reported, never done again. */
export class TaskRunner {
  readonly #dependencies: TaskRunnerDependencies;
  /** Keyed by task key. BOUNDED by `taskCountMax`: the oldest that has ended is forgotten. */
  readonly #tasks = new Map<string, RunningTask>();

  constructor(dependencies: TaskRunnerDependencies) {
    this.#dependencies = dependencies;
  }

  reports(): TaskReport[] {
    return [...this.#tasks.values()].map(({ report }) => report);
  }

  cancel(key: string): void {
    this.#tasks.get(key)?.abort.abort();
  }

  imagingMessage(message: ServerImagingMessage): void {
    for (const [key, task] of this.#tasks) {
      if (!("key" in message) || message.key === key) {
        task.onMessage?.(message);
      }
    }
  }

  start(message: TaskMessage): void {
    const { key } = message;
    const known = this.#tasks.get(key);
    if (known !== undefined) {
      const { outcome, ...result } = known.report;
      if (outcome !== "running") {
        this.#dependencies.send({ type: "task-result", outcome, ...result });
      } else if ("transfer" in message.task) {
        known.onMessage?.({ type: "task-again", transfer: message.task.transfer });
      } else if ("content" in message.task && message.task.content !== null) {
        known.onMessage?.({ type: "task-again", transfer: message.task.content.transfer });
      }
      return;
    }
    this.#forgetOldest();
    const task: RunningTask = {
      report: { key, outcome: "running", reason: null },
      progress: null,
      progressSentAtMs: 0,
      abort: new AbortController(),
      onMessage: null,
    };
    this.#tasks.set(key, task);
    this.#do(message, task)
      .catch((error: unknown): TaskOutcome => {
        return {
          outcome: "failed",
          reason: (error instanceof Error ? error.message : String(error)).slice(0, 1000),
        };
      })
      .then((outcome) => this.#finish(key, task, outcome))
      .catch((error: unknown) => this.#dependencies.say(`task ${key}: ${String(error)}`));
  }

  async #do(message: TaskMessage, task: RunningTask): Promise<TaskOutcome> {
    const context = this.#contextFor(message.key, task);
    switch (message.task.kind) {
      case "run-script":
        return runScript(message.task, context);
      case "deploy-image": {
        const { deployImage } = await import("./tasks/deploy-image.ts");
        return deployImage(message.task, context);
      }
      case "capture-image": {
        const { captureImage } = await import("./tasks/capture-image.ts");
        return captureImage(message.task, context);
      }
      case "deploy-installer": {
        const { loadInstaller } = await import("./tasks/load-installer.ts");
        return loadInstaller(message.task, context);
      }
      case "start-installer": {
        this.#dependencies.say("starting the installer");
        await this.#dependencies.flush();
        const { startInstaller } = await import("./tasks/load-installer.ts");
        return startInstaller();
      }
      case "restart":
      case "power-off": {
        const { kind } = message.task;
        this.#dependencies.say(kind === "restart" ? "restarting" : "switching off");
        task.report = { key: message.key, outcome: "done", reason: null };
        this.#dependencies.send({ type: "task-result", key: message.key, outcome: "done", reason: null });
        await this.#dependencies.flush();
        if (kind === "restart" && this.#dependencies.environment === "preboot") {
          this.#bootDiskNext();
        }
        changePower(kind, this.#dependencies.environment);
        return { outcome: "done", reason: null };
      }
      case "copy-file":
      case "install-package":
      case "uninstall-package":
      case "set-configuration":
      case "inventory":
      case "capture-user-data":
      case "restore-user-data": {
        const { doOsTask } = await import("./tasks/do-os-task.ts");
        return doOsTask(message.task, context, this.#dependencies.stateDir);
      }
    }
  }

  /** Only a convenience: without it the computer still comes to its disk, later. */
  #bootDiskNext(): void {
    try {
      const done = bootDiskNext();
      if (done !== null) {
        this.#dependencies.say(done);
      }
    } catch (error) {
      this.#dependencies.say(`the firmware could not be told what to start: ${String(error)}`);
    }
  }

  #finish(key: string, task: RunningTask, { outcome, reason, exitCode }: TaskOutcome): void {
    task.report = { key, outcome, reason, ...(exitCode === undefined ? {} : { exitCode }) };
    task.onMessage = null;
    this.#dependencies.say(`task ${outcome}${reason === null ? "" : `: ${reason}`}`);
    this.#dependencies.send({ type: "task-result", ...task.report, outcome });
    this.#dependencies.onFinished();
  }

  #contextFor(key: string, task: RunningTask): TaskContext {
    const { network, serverAddress, siteKeyFingerprint, identity, disks, send, say } = this.#dependencies;
    return {
      key,
      network,
      serverAddress,
      siteKeyFingerprint,
      identity,
      disks,
      send,
      say,
      onMessage: (handler) => {
        task.onMessage = handler;
      },
      report: (progress) => this.#report(key, task, progress),
      signal: task.abort.signal,
    };
  }

  #report(key: string, task: RunningTask, progress: TaskProgress): void {
    const isNewStage = task.progress?.stage !== progress.stage;
    task.progress = progress;
    const nowMs = performance.now();
    if (isNewStage || nowMs - task.progressSentAtMs >= progressDelayMs) {
      task.progressSentAtMs = nowMs;
      this.#dependencies.send({ type: "task-progress", key, ...progress });
      if (isNewStage) {
        this.#dependencies.say(`${progress.stage ?? "working"} …`);
      }
    }
  }

  #forgetOldest(): void {
    for (const [key, task] of this.#tasks) {
      if (this.#tasks.size < taskCountMax) {
        return;
      }
      if (task.report.outcome !== "running") {
        this.#tasks.delete(key);
      }
    }
  }
}
