import { randomBytes } from "node:crypto";
import {
  type ComputerGroup,
  formatGroupPath,
  judgeGroup,
  matchGroups,
  withNested,
} from "#engine/group/group-tree.ts";
import type { GroupStore } from "#store/group-store.ts";
import { ApiError } from "./api-error.ts";

export type SiteGroupsDependencies = {
  readonly store: GroupStore;
  /** The tree, or the place of these computers in it, is not as it was. */
  readonly onChanged: (movedIds: readonly string[]) => void;
  /** Tells the other servers of the site. */
  readonly notify: () => Promise<void>;
};

export type GroupChange = {
  readonly name?: string | undefined;
  /** A word for the group it shall be in; `null`: at the top. */
  readonly parent?: string | null | undefined;
};

const groupCountMax = 2000;

/** The groups of the site and who is in them: in memory, so that no list waits for the store, and in the store. */
export class SiteGroups {
  readonly #dependencies: SiteGroupsDependencies;
  /** BOUNDED by `groupCountMax`. */
  #groups: readonly ComputerGroup[] = [];
  /** Group id by computer id. BOUNDED by the computers of the site. */
  #members: ReadonlyMap<string, string> = new Map();
  /** Changes and readings one after the other: a reading must not undo what was written meanwhile. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dependencies: SiteGroupsDependencies) {
    this.#dependencies = dependencies;
  }

  load(): Promise<void> {
    return this.#inOrder(() => this.#read());
  }

  list(): readonly ComputerGroup[] {
    return this.#groups;
  }

  /** Id of the group that a computer is in. */
  groupOf(computerId: string): string | null {
    return this.#members.get(computerId) ?? null;
  }

  pathOf(id: string): string {
    return formatGroupPath(this.#groups, id);
  }

  /** By id, path or name. @throws ApiError 404 | 409 */
  require(word: string): ComputerGroup {
    const [group, ...others] = matchGroups(this.#groups, word);
    if (group === undefined) {
      throw new ApiError(404, "not-found", `there is no group ${word}; portolan group list shows them`);
    }
    if (others.length > 0) {
      const paths = [group, ...others].map(({ id }) => this.pathOf(id)).join(", ");
      throw new ApiError(409, "ambiguous", `${word} means more than one group: ${paths}`);
    }
    return group;
  }

  /** Ids of the computers in these groups and in everything in them. */
  computersIn(...groupIds: readonly string[]): ReadonlySet<string> {
    const nested = withNested(this.#groups, groupIds);
    return new Set([...this.#members].filter(([, id]) => nested.has(id)).map(([computerId]) => computerId));
  }

  /** How many computers are in each group that has some, without those in its groups. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const groupId of this.#members.values()) {
      counts.set(groupId, (counts.get(groupId) ?? 0) + 1);
    }
    return counts;
  }

  /** @throws ApiError 400 | 404 | 409 */
  add(given: { readonly name: string; readonly parent: string | null }): Promise<ComputerGroup> {
    return this.#inOrder(async () => {
      if (this.#groups.length >= groupCountMax) {
        throw new ApiError(409, "conflict", `there are ${groupCountMax} groups already`);
      }
      const parentId = given.parent === null ? null : this.require(given.parent).id;
      return this.#put({ id: `g-${randomBytes(4).toString("hex")}`, name: given.name, parentId });
    });
  }

  /** Changes what is given. @throws ApiError 400 | 404 | 409 */
  set(word: string, { name, parent }: GroupChange): Promise<ComputerGroup> {
    return this.#inOrder(async () => {
      const group = this.require(word);
      const parentId =
        parent === undefined ? group.parentId : parent === null ? null : this.require(parent).id;
      return this.#put({ id: group.id, name: name ?? group.name, parentId });
    });
  }

  /** What is in it goes to the group it was in. @throws ApiError 404 | 409 */
  remove(word: string): Promise<void> {
    return this.#inOrder(async () => {
      const { id, parentId } = this.require(word);
      const clash = this.#groups.find(
        ({ name, parentId: from }) =>
          from === id && this.#groups.some((other) => other.parentId === parentId && other.name === name),
      );
      if (clash !== undefined) {
        throw new ApiError(
          409,
          "conflict",
          `${this.pathOf(clash.id)} would stand beside another ${clash.name}; rename one of them first`,
        );
      }
      await this.#dependencies.store.remove(id, parentId);
      await this.#follow();
    });
  }

  /** @throws ApiError 404 | 409 */
  move(computerIds: readonly string[], word: string | null): Promise<void> {
    return this.#inOrder(async () => {
      await this.#dependencies.store.move(computerIds, word === null ? null : this.require(word).id);
      await this.#follow();
    });
  }

  /** A computer is gone, and with it its place. */
  forgotten(): Promise<void> {
    return this.#inOrder(() => this.#follow());
  }

  async #put(wanted: ComputerGroup): Promise<ComputerGroup> {
    const objection = judgeGroup(this.#groups, wanted);
    if (objection !== null) {
      throw new ApiError(409, "conflict", objection);
    }
    await this.#dependencies.store.put(wanted);
    await this.#follow();
    return wanted;
  }

  async #follow(): Promise<void> {
    await this.#read();
    await this.#dependencies.notify();
  }

  async #read(): Promise<void> {
    const { store, onChanged } = this.#dependencies;
    const groups = await store.list();
    const isSameTree = JSON.stringify(groups) === JSON.stringify(this.#groups);
    const before = this.#members;
    this.#members = new Map(
      (await store.listMembers()).map(({ computerId, groupId }) => [computerId, groupId]),
    );
    this.#groups = groups;
    const ids = new Set([...before.keys(), ...this.#members.keys()]);
    const movedIds = [...ids].filter((id) => before.get(id) !== this.#members.get(id));
    if (!isSameTree || movedIds.length > 0) {
      onChanged(movedIds);
    }
  }

  #inOrder<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
