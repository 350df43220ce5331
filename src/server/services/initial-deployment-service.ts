import type { Logger } from "pino";
import {
  decideInitialDeployment,
  describeInitialWait,
  type InitialMenu,
  type InitialOutcome,
  type InitialSettings,
  judgeChoice,
  type OfferedJob,
} from "#engine/job/initial-deployment.ts";
import type { MenuChoice } from "#wire/control/boot-menu-message.ts";
import type { ControlLink } from "./control-service.ts";

export type InitialDeploymentDependencies = {
  readonly log: () => Logger;
  readonly settings: () => InitialSettings;
  /** Those of the settings that are there. */
  readonly offeredJobs: () => readonly OfferedJob[];
  readonly newcomer: (computerId: string) => { readonly hasHistory: boolean; readonly isAsked: boolean };
  /** It has work that has not ended. */
  readonly isBusy: (computerId: string) => boolean;
  /** Some of that work is for preboot. */
  readonly hasPrebootWork: (computerId: string) => boolean;
  /** Its Initial Deployment is not due any more. In the store when this resolves. */
  readonly forgetAsked: (computerId: string) => Promise<void>;
  /** @throws ApiError when the network was proven not to carry it */
  readonly assign: (jobId: string, computerId: string) => Promise<void>;
  readonly links: () => Iterable<ControlLink>;
  readonly note: (computerId: string, text: string) => void;
};

/** Where a computer is in its Initial Deployment. */
export type InitialPlace = {
  readonly computerId: string;
  readonly menu: InitialMenu | null;
  /** What it does, as a sentence. */
  readonly text: string;
};

/** Gives computers that are new what the settings say: the engine decides, this sends, stores and tells. */
export class InitialDeploymentService {
  readonly #dependencies: InitialDeploymentDependencies;
  /** By computer id. BOUNDED by connected agents in preboot. */
  readonly #places = new Map<string, InitialPlace>();

  constructor(dependencies: InitialDeploymentDependencies) {
    this.#dependencies = dependencies;
  }

  list(): readonly InitialPlace[] {
    return [...this.#places.values()];
  }

  /** After the jobs have been told: work that waits for it comes first. */
  connected(link: ControlLink): void {
    const { computerId, environment } = link;
    const { settings, offeredJobs, newcomer, isBusy } = this.#dependencies;
    this.#places.delete(computerId);
    if (isBusy(computerId)) {
      return;
    }
    const decision = decideInitialDeployment(
      settings(),
      { environment, ...newcomer(computerId) },
      offeredJobs(),
    );
    switch (decision.type) {
      case "leave":
        break;
      case "menu":
        this.#places.set(computerId, {
          computerId,
          menu: decision.menu,
          text: "Shows the menu of new computers.",
        });
        link.send({ type: "menu", ...decision.menu });
        break;
      case "assign":
      case "local":
      case "wait":
        this.#follow(link, decision, "the default of new computers");
        break;
    }
  }

  disconnected(computerId: string): void {
    this.#places.delete(computerId);
  }

  /** Something about a computer has changed; where it has got work, that takes the place of Initial Deployment. */
  changed(computerId: string): void {
    const { isBusy, hasPrebootWork } = this.#dependencies;
    if (this.#places.has(computerId) ? isBusy(computerId) : hasPrebootWork(computerId)) {
      this.#places.delete(computerId);
      this.#dependencies
        .forgetAsked(computerId)
        .catch((error: unknown) => this.#dependencies.log().warn({ err: error, computerId }, "not noted"));
    }
  }

  /** What somebody chose at the computer, or time did. */
  chosen(link: ControlLink, { choice, by }: MenuChoice): void {
    const { computerId } = link;
    const menu = this.#places.get(computerId)?.menu ?? null;
    const outcome = menu === null ? null : judgeChoice(menu, { choice, by });
    if (outcome === null || this.#dependencies.isBusy(computerId)) {
      this.#dependencies.log().warn({ computerId, choice, by }, "a choice that no menu offers");
      return;
    }
    this.#follow(link, outcome, by === "person" ? "chosen at the computer" : "nobody chose in time");
  }

  /** After a change of the settings: who waits without work gets what they say now. */
  reconsider(): void {
    for (const link of this.#dependencies.links()) {
      if (this.#places.has(link.computerId)) {
        link.send({ type: "menu-end", text: "What new computers get has changed.", isRestart: false });
        this.connected(link);
      }
    }
  }

  #follow(link: ControlLink, outcome: InitialOutcome, why: string): void {
    const { computerId } = link;
    this.#places.delete(computerId);
    this.#do(link, outcome, why).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#dependencies.log().warn({ err: error, computerId }, "initial deployment");
      this.#wait(link, `It waits for an operator, because its job could not be given to it: ${reason}`);
    });
  }

  async #do(link: ControlLink, outcome: InitialOutcome, why: string): Promise<void> {
    const { assign, forgetAsked, note, offeredJobs } = this.#dependencies;
    const { computerId } = link;
    // First: a server that ends here leaves a computer that waits, never one that is done twice.
    await forgetAsked(computerId);
    if (outcome.type === "wait") {
      this.#wait(link, describeInitialWait(outcome.reason));
      return;
    }
    if (outcome.type === "local") {
      note(computerId, `boots from its own disk (${why})`);
      link.send({
        type: "menu-end",
        text: "It restarts, to boot from its own disk.",
        isRestart: true,
      });
      return;
    }
    const name = offeredJobs().find(({ id }) => id === outcome.jobId)?.name ?? outcome.jobId;
    await assign(outcome.jobId, computerId);
    note(computerId, `does the job ${name} (${why})`);
    link.send({ type: "menu-end", text: `It does the job ${name}.`, isRestart: false });
  }

  #wait(link: ControlLink, text: string): void {
    this.#places.set(link.computerId, { computerId: link.computerId, menu: null, text });
    this.#dependencies.note(link.computerId, text);
    link.send({ type: "menu-end", text, isRestart: false });
  }
}
