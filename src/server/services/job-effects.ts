import type { Logger } from "pino";
import type { Job, RestoreRequest, Task } from "#engine/job/job.ts";
import type { RunEffect } from "#engine/job/run-event.ts";
import type { Run } from "#engine/job/run.ts";
import { sessionKeyOf } from "#engine/job/run.ts";
import { expectedInSession } from "#engine/job/schedule-runs.ts";
import { isSharedContent, sessionContentOf } from "#engine/job/task-traits.ts";
import type { RestoreOptions } from "#wire/control/image-task-message.ts";
import type { ServerMessage } from "#wire/control/message.ts";
import { AnswerError } from "#engine/installer/answers.ts";
import type { InstallerTask, RenderedInstaller } from "../installer-answers.ts";
import { type ComputerTexts, toContentTask, toTask } from "../task-messages.ts";
import type { CaptureService } from "./capture-service.ts";
import type { ControlLink } from "./control-service.ts";
import type { ImagingService } from "./imaging-service.ts";
import type { TransferService } from "./transfer-service.ts";

export type JobEffectsDependencies = {
  readonly log: Logger;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly imaging: () => Pick<ImagingService, "join" | "leave">;
  readonly transfers: Pick<TransferService, "issue" | "revoke">;
  readonly captures: () => Pick<CaptureService, "begin" | "end">;
  /** What one computer is to do with an image beyond writing it. */
  readonly restoreOptions: (request: RestoreRequest | undefined, computerId: string) => RestoreOptions;
  /** What one computer's installer is given. @throws AnswerError when something is not known of it */
  readonly renderInstaller: (task: InstallerTask, link: ControlLink) => Promise<RenderedInstaller>;
  readonly interfaceOf: (link: ControlLink) => string | null;
  readonly wake: (computerId: string) => void;
  /** What a task's texts may name. */
  readonly textsOf: (computerId: string) => ComputerTexts;
  readonly findUserData: (
    computerId: string,
    name: string,
  ) => Promise<{ readonly contentId: string; readonly sizeBytes: number } | null>;
  /** All chunks of it are in the store. */
  readonly keepUserData: (computerId: string, name: string, manifestText: string) => Promise<void>;
  /** A task that cannot be handed over has failed. */
  readonly refuse: (computerId: string, key: string, reason: string) => void;
};

/** User data of one computer; more is refused when it is all there. */
const userDataSizeBytesMax = 1 << 40;

/** Does what a run's step says is to be done in the world. Each effect may be repeated safely. */
export class JobEffects {
  readonly #dependencies: JobEffectsDependencies;
  /** Tickets of computers that store something, keyed by task key. BOUNDED by unfinished capture tasks. */
  readonly #uploads = new Map<string, string>();

  constructor(dependencies: JobEffectsDependencies) {
    this.#dependencies = dependencies;
  }

  async act(job: Job, run: Run, effect: RunEffect, runs: () => readonly Run[]): Promise<void> {
    switch (effect.type) {
      case "wake":
        this.#dependencies.wake(effect.computerId);
        break;
      case "send-task":
        await this.#sendTask(run, effect.key, effect.task);
        break;
      case "cancel-task":
        this.#send(effect.computerId, { type: "cancel-task", key: effect.key });
        break;
      case "request-restart":
        this.#send(effect.computerId, { type: "task", key: effect.key, task: { kind: "restart" } });
        break;
      case "start-installer":
        this.#send(effect.computerId, { type: "task", key: effect.key, task: { kind: "start-installer" } });
        break;
      case "join-session":
        await this.#join(
          run,
          effect,
          isSharedContent(effect.task) ? expectedInSession(job, runs(), run, run.taskIndex) : 1,
        );
        break;
      case "leave-session":
        await this.#dependencies.imaging().leave(effect.sessionKey, effect.computerId);
        break;
      case "end-upload":
        this.#dependencies.captures().end(effect.computerId);
        this.#endUpload(effect.taskKey);
        break;
      case "record-deployment":
        break;
    }
  }

  async #join(run: Run, effect: RunEffect & { type: "join-session" }, expected: number): Promise<void> {
    const { sessionKey, computerId, taskKey, task, isResumed } = effect;
    const content = sessionContentOf(task);
    if (content === null) {
      throw new Error(`a ${task.kind} task has no session`);
    }
    const installer =
      task.kind === "deploy-installer" ? await this.#renderInstaller(computerId, taskKey, task) : null;
    if (task.kind === "deploy-installer" && installer === null) {
      return;
    }
    const restoreOptions = (request: RestoreRequest | undefined): RestoreOptions =>
      this.#dependencies.restoreOptions(request, computerId);
    await this.#dependencies.imaging().join({
      ...{ sessionKey, computerId, taskKey, isResumed, expected },
      unicastReason: run.gate?.decision === "unicast" ? run.gate.text : null,
      contentId: content.contentId,
      toTask: (transfer) => toContentTask(task, transfer, { restoreOptions, installer }),
    });
  }

  /** @returns `null` when it was refused, or its computer is away: when that is back it comes here again */
  async #renderInstaller(
    computerId: string,
    taskKey: string,
    task: InstallerTask,
  ): Promise<RenderedInstaller | null> {
    const link = this.#dependencies.findLink(computerId);
    try {
      return link === null ? null : await this.#dependencies.renderInstaller(task, link);
    } catch (error) {
      if (!(error instanceof AnswerError)) {
        throw error;
      }
      this.#dependencies.refuse(computerId, taskKey, error.message);
      return null;
    }
  }

  async #sendTask(run: Run, key: string, task: Task): Promise<void> {
    const { computerId } = run;
    if (task.kind === "capture-image") {
      const { imageName, disk, isForced, isStreamed = false } = task;
      await this.#dependencies.captures().begin({ computerId, key, imageName, disk, isForced, isStreamed });
    } else if (task.kind === "capture-user-data") {
      await this.#openUpload(run, key, task);
    } else if (task.kind === "restore-user-data") {
      await this.#restoreUserData(run, key, task);
    } else {
      const message = toTask(task, this.#dependencies.textsOf(computerId));
      this.#send(computerId, { type: "task", key, task: message });
    }
  }

  async #openUpload(run: Run, key: string, task: Task & { kind: "capture-user-data" }): Promise<void> {
    const { findLink, transfers, interfaceOf, keepUserData } = this.#dependencies;
    const link = findLink(run.computerId);
    if (link === null) {
      return;
    }
    const { name, paths, exclude } = task;
    this.#endUpload(key);
    const transfer = await transfers.issue({
      computerId: run.computerId,
      serverAddress: link.serverAddress,
      interfaceName: interfaceOf(link),
      right: {
        type: "upload",
        sizeBytesMax: userDataSizeBytesMax,
        onUploaded: (manifestText) => keepUserData(run.computerId, name, manifestText),
      },
    });
    this.#uploads.set(key, transfer.ticket);
    link.send({ type: "task", key, task: { kind: task.kind, name, paths, exclude, transfer } });
  }

  #endUpload(taskKey: string): void {
    const ticket = this.#uploads.get(taskKey);
    if (ticket !== undefined) {
      this.#uploads.delete(taskKey);
      this.#dependencies.transfers.revoke(ticket);
    }
  }

  async #restoreUserData(run: Run, key: string, task: Task & { kind: "restore-user-data" }): Promise<void> {
    const { findUserData, imaging, refuse } = this.#dependencies;
    const from = task.fromComputerId ?? run.computerId;
    const content = await findUserData(from, task.name);
    if (content === null) {
      refuse(run.computerId, key, `no user data ${task.name} of computer ${from} is in the store`);
      return;
    }
    await imaging().join({
      sessionKey: sessionKeyOf(run, run.taskIndex, task),
      computerId: run.computerId,
      taskKey: key,
      contentId: content.contentId,
      isResumed: false,
      expected: 1,
      unicastReason: null,
      toTask: (transfer) => ({ kind: task.kind, name: task.name, content: { ...content, transfer } }),
    });
  }

  /** Without a connection nothing is sent; when the agent is back its reports bring the run to the same point. */
  #send(computerId: string, message: ServerMessage): void {
    this.#dependencies.findLink(computerId)?.send(message);
  }
}
