import { randomBytes } from "node:crypto";
import { ComputerUuid } from "#engine/boot/computer-uuid.ts";
import { type ComputerIdentity, readComputerIdentity } from "#engine/identity/computer-identity.ts";
import {
  decideEnrolment,
  describeEnrolment,
  type Enrolment,
  type EnrolmentRecord,
  type EnrolmentRequest,
} from "#engine/identity/decide-enrolment.ts";
import type { Clock } from "#platform/clock.ts";
import type { ComputerStore, StoredComputer } from "#store/computer-store.ts";
import type { Inventory } from "#wire/control/inventory.ts";
import type { EnrollMessage } from "#wire/control/message.ts";
import { ApiError } from "./api-error.ts";
import type { ComputerDirectory } from "./computer-directory.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import type { Invitation } from "./enrolment-rights.ts";
import type { ControlLink } from "./services/control-service.ts";
import type { EnrolmentAnswer } from "./services/enrolment-desk.ts";

export type ComputerRegistryDependencies = {
  readonly store: ComputerStore;
  readonly directory: ComputerDirectory;
  readonly clock: Clock;
  readonly findLink: (computerId: string) => ControlLink | null;
  readonly hasPrebootWork: (computerId: string) => boolean;
  /** Since when an installer of a job works on it; `null`: none does. */
  readonly installingSinceMs: (computerId: string) => number | null;
  /** What others see of a computer may have changed. */
  readonly onPublished: (id: string) => void;
  /** What lets a computer in that no operator has looked at. */
  readonly inviteFor: (token: string | null) => Promise<Invitation>;
  readonly onEnrolled: (computerId: string, reason: string) => void;
  readonly checkBootToken: (token: string | null, inventory: Inventory) => EnrolmentRequest["bootToken"];
};

/** Whether a computer on record shows a card or the UUID of an identity: the matching rules need no others. */
function shares({ macs, uuid }: StoredComputer, identity: ComputerIdentity): boolean {
  const sharesUuid =
    uuid !== null &&
    identity.uuid !== null &&
    (uuid === identity.uuid || uuid === ComputerUuid.twin(identity.uuid));
  return sharesUuid || macs.some((mac) => identity.macs.includes(mac));
}

const invitedReasons: ReadonlySet<string> = new Set(["enrolment-token", "open-window"]);

/** Of what can wait, so much goes with one write. */
const touchedPerWrite = 500;

type RecordChange = {
  readonly id: string;
  readonly change: Partial<StoredComputer>;
  readonly resolve: (computer: StoredComputer) => void;
  readonly reject: (error: Error) => void;
};

/** The computers of the site: what is stored, what boot services see of it, and who is let in. */
export class ComputerRegistry {
  readonly #dependencies: ComputerRegistryDependencies;
  /** Keyed by id. BOUNDED by the computers of the site. */
  readonly #computers = new Map<string, StoredComputer>();
  /** Enrolments one after the other: two connections of one new computer must not make two records. */
  #turn: Promise<unknown> = Promise.resolve();
  #lastWrite: Promise<unknown> = Promise.resolve();
  /** Not written yet. BOUNDED by what the agents and operators of a site do while one transaction is written. */
  readonly #changes: RecordChange[] = [];
  /** Ids whose last sight is not in the store yet. BOUNDED by the computers of the site. */
  readonly #touched = new Set<string>();

  constructor(dependencies: ComputerRegistryDependencies) {
    this.#dependencies = dependencies;
  }

  async load(): Promise<void> {
    for (const computer of await this.#dependencies.store.list()) {
      this.#computers.set(computer.id, computer);
      this.publish(computer.id);
    }
  }

  list(): readonly StoredComputer[] {
    return [...this.#computers.values()];
  }

  get(id: string): StoredComputer | null {
    return this.#computers.get(id) ?? null;
  }

  /** By id, name, MAC or serial; more than one is a refusal. @throws ApiError 404 | 409 */
  require(word: string): StoredComputer {
    const lower = word.toLowerCase();
    const exact = this.#computers.get(word);
    const found =
      exact === undefined
        ? this.list().filter(
            (computer) =>
              computer.name === word ||
              computer.serial === word ||
              computer.macs.some((mac) => mac === lower) ||
              computer.uuid === lower,
          )
        : [exact];
    const [computer, ...others] = found;
    if (computer === undefined) {
      throw new ApiError(404, "not-found", `there is no computer ${word}; portolan computer list shows them`);
    }
    if (others.length > 0) {
      throw new ApiError(
        409,
        "ambiguous",
        `${word} means more than one computer: ${found.map(({ id }) => id).join(", ")}`,
      );
    }
    return computer;
  }

  /** What boot services see of a computer, from now on. */
  publish(id: string): void {
    const computer = this.#computers.get(id);
    const { directory, findLink, hasPrebootWork, onPublished } = this.#dependencies;
    onPublished(id);
    if (computer === undefined) {
      directory.remove(id);
      return;
    }
    directory.put({
      id,
      name: computer.name,
      macs: computer.macs,
      uuid: computer.uuid === null ? null : ComputerUuid.parse(computer.uuid),
      state: computer.state,
      work: hasPrebootWork(id)
        ? "preboot"
        : computer.initialAskedAtMs === null
          ? "none"
          : "initial-deployment",
      isConnected: findLink(id) !== null,
    });
  }

  /** Changes come one after the other: a record is written whole, so two at once would undo each other. */
  update(id: string, change: Partial<StoredComputer>): Promise<StoredComputer> {
    return new Promise((resolve, reject) => {
      this.#changes.push({ id, change, resolve, reject });
      if (this.#changes.length === 1) {
        this.#inOrder(() => this.#writeChanges()).catch(reject);
      }
    });
  }

  /**
   * Its agent has connected. A computer that is as it was costs no write of its own: when it was last seen goes into the
   * store with the next change of anything, and when the server stops.
   */
  async seen(
    id: string,
    facts: Pick<StoredComputer, "inventory" | "address" | "lastSeenAtMs">,
  ): Promise<void> {
    const computer = this.#computers.get(id);
    const isAsBefore =
      computer?.address === facts.address &&
      JSON.stringify(computer.inventory) === JSON.stringify(facts.inventory);
    if (computer === undefined || !isAsBefore) {
      await this.update(id, facts);
      return;
    }
    this.#computers.set(id, { ...computer, lastSeenAtMs: facts.lastSeenAtMs });
    this.#touched.add(id);
    this.publish(id);
  }

  /** Writes down what `seen` has kept back. */
  async stop(): Promise<void> {
    do {
      await this.#inOrder(() => this.#writeChanges());
    } while (this.#touched.size > 0);
  }

  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#lastWrite.then(work);
    this.#lastWrite = done.catch(() => undefined);
    return done;
  }

  /** All changes that have gathered while the last ones were written, in one transaction. */
  async #writeChanges(): Promise<void> {
    const taken = this.#changes.splice(0);
    const next = new Map<string, StoredComputer>();
    for (const { id, change, reject } of taken) {
      const computer = next.get(id) ?? this.#computers.get(id);
      if (computer === undefined) {
        reject(new ApiError(404, "not-found", `there is no computer ${id}`));
      } else {
        next.set(id, { ...computer, ...change });
      }
    }
    for (const id of this.#takeTouched()) {
      const computer = this.#computers.get(id);
      if (computer !== undefined && !next.has(id)) {
        next.set(id, computer);
      }
    }
    if (next.size === 0) {
      return;
    }
    try {
      await this.#dependencies.store.put(...next.values());
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      taken.forEach(({ reject }) => reject(cause));
      return;
    }
    for (const [id, computer] of next) {
      this.#computers.set(id, computer);
      this.publish(id);
    }
    for (const { id, resolve } of taken) {
      const computer = next.get(id);
      if (computer !== undefined) {
        resolve(computer);
      }
    }
  }

  #takeTouched(): string[] {
    const taken = [...this.#touched].slice(0, touchedPerWrite);
    taken.forEach((id) => this.#touched.delete(id));
    return taken;
  }

  async approve(id: string): Promise<StoredComputer> {
    const computer = this.require(id);
    return this.update(computer.id, {
      state: "approved",
      reason: null,
      approvedKeyFingerprint: computer.waitingKeyFingerprint,
    });
  }

  /** Takes its right to connect away; certificates of before never count again, whoever has them. */
  async revoke(id: string): Promise<StoredComputer> {
    const computer = this.require(id);
    return this.update(computer.id, {
      state: "pending",
      reason: "Revoked by an operator: approve it to let it in again.",
      osKeyFingerprint: null,
      approvedKeyFingerprint: null,
      waitingKeyFingerprint: null,
      revokedAtMs: Math.round(this.#dependencies.clock.epochMs()),
    });
  }

  forget(id: string): Promise<void> {
    return this.#inOrder(async () => {
      await this.#dependencies.store.remove(id);
      this.#computers.delete(id);
      this.publish(id);
    });
  }

  enrol(message: EnrollMessage, keyFingerprint: string): Promise<EnrolmentAnswer> {
    const answer = this.#turn.then(() => this.#enrol(message, keyFingerprint));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async #enrol(message: EnrollMessage, keyFingerprint: string): Promise<EnrolmentAnswer> {
    const { clock, checkBootToken } = this.#dependencies;
    const { inventory, environment, bootToken } = message;
    const identity = readComputerIdentity(inventory);
    const nowMs = clock.epochMs();
    const candidates = this.list()
      .filter((computer) => shares(computer, identity))
      .map((computer) => this.#recordOf(computer));
    const pendingCount = this.list().filter((computer) => computer.state === "pending").length;
    const invitation = await this.#dependencies.inviteFor(message.enrolmentToken);
    const request = {
      identity,
      environment,
      keyFingerprint,
      bootToken: checkBootToken(bootToken, inventory),
    };
    const decide = (kind: Invitation["kind"]): Enrolment =>
      decideEnrolment({ ...request, invitation: kind }, { candidates, pendingCount }, nowMs);
    let enrolment = decide(invitation.kind);
    const isInvited = enrolment.type === "enrolled" && invitedReasons.has(enrolment.reason);
    if (isInvited && !(await invitation.redeem())) {
      enrolment = decide(null);
    }
    const reason = describeEnrolment(enrolment);
    switch (enrolment.type) {
      case "enrolled": {
        const computerId =
          enrolment.computerId ?? (await this.#create(identity, message, keyFingerprint, reason, nowMs));
        await this.#noteEnrolled({ ...enrolment, computerId }, message, keyFingerprint, nowMs);
        this.#dependencies.onEnrolled(computerId, reason);
        return {
          type: "enrolled",
          computerId,
          lifetimeMs: enrolment.certificateLifetimeMs,
        };
      }
      case "pending": {
        const computerId =
          enrolment.computerId ?? (await this.#create(identity, message, keyFingerprint, reason, nowMs));
        await this.update(computerId, { waitingKeyFingerprint: keyFingerprint, lastSeenAtMs: nowMs, reason });
        return { type: "pending", computerId, reason };
      }
      case "held":
        for (const id of enrolment.computerIds) {
          await this.update(id, { state: "conflict", reason });
        }
        return { type: "pending", computerId: null, reason };
      case "refused":
        return { type: "refused", reason };
    }
  }

  async #noteEnrolled(
    enrolment: { readonly computerId: string; readonly newMacs: readonly MacAddress[] },
    message: EnrollMessage,
    keyFingerprint: string,
    nowMs: number,
  ): Promise<void> {
    const known = this.#computers.get(enrolment.computerId);
    const isOs = message.environment === "os";
    await this.update(enrolment.computerId, {
      macs: [...new Set([...(known?.macs ?? []), ...enrolment.newMacs])],
      ...(isOs ? { osKeyFingerprint: keyFingerprint, osKeyAtMs: nowMs } : {}),
      // It has a system by now that is not ours to replace.
      ...(isOs && known?.osKeyFingerprint === null ? { initialAskedAtMs: null } : {}),
      // Who was let in without an approval is approved by it.
      state: "approved",
      lastSeenAtMs: nowMs,
      reason: null,
    });
  }

  async #create(
    identity: ReturnType<typeof readComputerIdentity>,
    { inventory, environment }: EnrollMessage,
    keyFingerprint: string,
    reason: string,
    nowMs: number,
  ): Promise<string> {
    const id = `c-${randomBytes(4).toString("hex")}`;
    const computer: StoredComputer = {
      id,
      name: identity.serial ?? identity.macs[0] ?? id,
      state: "pending",
      reason,
      uuid: identity.uuid,
      serial: identity.serial,
      macs: identity.macs,
      inventory,
      address: inventory.addresses[0] ?? null,
      osKeyFingerprint: null,
      osKeyAtMs: null,
      approvedKeyFingerprint: null,
      waitingKeyFingerprint: keyFingerprint,
      deployedAtMs: null,
      lastSeenAtMs: nowMs,
      createdAtMs: nowMs,
      revokedAtMs: null,
      // Due until it was decided: whoever approves it may do so while it is off.
      initialAskedAtMs: environment === "preboot" ? nowMs : null,
    };
    await this.#dependencies.store.put(computer);
    this.#computers.set(id, computer);
    this.publish(id);
    return id;
  }

  #recordOf(computer: StoredComputer): EnrolmentRecord {
    const { findLink, hasPrebootWork, installingSinceMs } = this.#dependencies;
    const { id, uuid } = computer;
    return {
      ...computer,
      uuid: uuid === null ? null : ComputerUuid.parse(uuid),
      isConnected: findLink(id) !== null,
      hasPrebootWork: hasPrebootWork(id),
      installingSinceMs: installingSinceMs(id),
    };
  }
}
