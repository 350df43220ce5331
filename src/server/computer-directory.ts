import { ComputerUuid } from "#engine/boot/computer-uuid.ts";
import {
  matchComputer,
  type ComputerIdentity,
  type ComputerMatch,
  type KnownComputer,
} from "#engine/boot/identify-computer.ts";

/**
 * The computers of the site as boot services see them: in memory, so that an answer never waits for the store and
 * still comes when the store is down. The store's owner fills it at start and after every change.
 */
export type ComputerDirectory = {
  /** Who this is. Never throws, never waits. */
  find(identity: ComputerIdentity): ComputerMatch;
  get(id: string): KnownComputer | null;
  /** Adds a computer or replaces the one with its id. */
  put(computer: KnownComputer): void;
  remove(id: string): void;
  /** Replaces everything, in one step. */
  replaceAll(computers: Iterable<KnownComputer>): void;
  readonly count: number;
};

/**
 * Keyed by id, with an index by MAC and one by UUID in both byte orders. BOUNDED by the computers of the site,
 * which only approved operators and enrolment add.
 */
export function createComputerDirectory(): ComputerDirectory {
  const byId = new Map<string, KnownComputer>();
  const byMac = new IdIndex();
  const byUuid = new IdIndex();

  function put(computer: KnownComputer): void {
    remove(computer.id);
    byId.set(computer.id, computer);
    for (const mac of computer.macs) {
      byMac.add(mac, computer.id);
    }
    for (const uuid of spellings(computer.uuid)) {
      byUuid.add(uuid, computer.id);
    }
  }

  function remove(id: string): void {
    const old = byId.get(id);
    if (old === undefined) {
      return;
    }
    byId.delete(id);
    for (const mac of old.macs) {
      byMac.remove(mac, id);
    }
    for (const uuid of spellings(old.uuid)) {
      byUuid.remove(uuid, id);
    }
  }

  function resolve(ids: ReadonlySet<string>): readonly KnownComputer[] {
    return [...ids].map((id) => byId.get(id)).filter((computer) => computer !== undefined);
  }

  return {
    find: (identity) =>
      matchComputer(identity, {
        byMac: resolve(byMac.find(identity.mac)),
        byUuid: identity.uuid === null ? [] : resolve(byUuid.find(identity.uuid)),
      }),
    get: (id) => byId.get(id) ?? null,
    put,
    remove,
    replaceAll(computers) {
      byId.clear();
      byMac.clear();
      byUuid.clear();
      for (const computer of computers) {
        put(computer);
      }
    },
    get count() {
      return byId.size;
    },
  };
}

function spellings(uuid: ComputerUuid | null): readonly ComputerUuid[] {
  return uuid === null ? [] : [uuid, ComputerUuid.twin(uuid)];
}

const nobody: ReadonlySet<string> = new Set();

/** Keyed by MAC or UUID text. BOUNDED by the computers that carry one. */
class IdIndex {
  readonly #ids = new Map<string, Set<string>>();

  find(key: string): ReadonlySet<string> {
    return this.#ids.get(key) ?? nobody;
  }

  add(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) {
      this.#ids.set(key, new Set([id]));
    } else {
      ids.add(id);
    }
  }

  remove(key: string, id: string): void {
    const ids = this.#ids.get(key);
    ids?.delete(id);
    if (ids?.size === 0) {
      this.#ids.delete(key);
    }
  }

  clear(): void {
    this.#ids.clear();
  }
}
