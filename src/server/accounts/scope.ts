import type { RouteScope } from "#api/route.ts";
import { groupsInside } from "#engine/group/group-limit.ts";
import { ApiError } from "../api-error.ts";
import type { ComputerRegistry } from "../computer-registry.ts";
import type { SiteGroups } from "../site-groups.ts";
import type { Principal } from "./principal.ts";

const namedCountMax = 20;

function refuse(what: string): never {
  throw new ApiError(403, "outside-scope", `${what}; you are limited to groups of computers`);
}

type Site = {
  readonly registry: Pick<ComputerRegistry, "get" | "require">;
  readonly groups: Pick<SiteGroups, "list" | "groupOf" | "pathOf" | "require">;
};

/** What somebody may see and touch: the computers in some groups, or the whole site. Cut for one request, as things are then. */
export class Scope {
  /** Ids of the groups inside, with those nested; `null`: the whole site. */
  readonly groupIds: ReadonlySet<string> | null;
  readonly #site: Site;

  constructor(groupIds: ReadonlySet<string> | null, site: Site) {
    this.groupIds = groupIds;
    this.#site = site;
  }

  hasGroup(id: string | null): boolean {
    return this.groupIds === null || (id !== null && this.groupIds.has(id));
  }

  /** A computer in no group, such as one that waits for its approval, is the whole site's alone. */
  hasComputer(id: string | null): boolean {
    return this.groupIds === null || (id !== null && this.hasGroup(this.#site.groups.groupOf(id)));
  }

  /** @throws ApiError 403 `outside-scope`, which names those outside */
  requireComputers(ids: Iterable<string>): void {
    const outside = [...ids]
      .filter((id) => !this.hasComputer(id))
      .map((id) => this.#site.registry.get(id)?.name ?? id);
    if (outside.length > 0) {
      const more = outside.length > namedCountMax ? ` and ${outside.length - namedCountMax} more` : "";
      refuse(`outside of your groups: ${outside.slice(0, namedCountMax).join(", ")}${more}`);
    }
  }

  /** @throws ApiError 403 `outside-scope` */
  requireGroup(id: string): void {
    if (!this.hasGroup(id)) {
      refuse(`the group ${this.#site.groups.pathOf(id)} is not one of yours`);
    }
  }

  /** For what belongs to no group. @throws ApiError 403 `outside-scope` */
  requireWholeSite(what: string): void {
    if (this.groupIds !== null) {
      refuse(what);
    }
  }
}

/** Cuts scopes, and holds routes against them. */
export class Scopes {
  readonly #site: Site;
  /** For the server itself. */
  readonly wholeSite: Scope;

  constructor(site: Site) {
    this.#site = site;
    this.wholeSite = new Scope(null, site);
  }

  of({ limits }: Principal): Scope {
    return new Scope(groupsInside(this.#site.groups.list(), limits), this.#site);
  }

  /**
   * What can be said of a request before its body is read. A word that means no computer or group is left to the handler.
   *
   * @throws ApiError 403 `outside-scope`
   */
  requireOpen(scope: Scope, route: RouteScope | undefined, id: string): void {
    if (scope.groupIds === null) {
      return;
    }
    if (route === undefined || route === "site") {
      refuse("this is for accounts of the whole site");
    }
    if (route === "computer") {
      scope.requireComputers(orNone(() => this.#site.registry.require(id).id));
    }
    if (route === "group") {
      orNone(() => this.#site.groups.require(id).id).forEach((groupId) => scope.requireGroup(groupId));
    }
  }

  /** What a request is about, for the audit log: a computer or group by its id, however it was named. */
  targetOf(route: RouteScope, word: string): string | null {
    const { registry, groups } = this.#site;
    const [id] =
      route === "computer"
        ? orNone(() => registry.require(word).id)
        : route === "group"
          ? orNone(() => groups.require(word).id)
          : [];
    return id ?? (word === "" ? null : word);
  }
}

/** What was found, as a list; none when the word means nothing or too much. */
function orNone<Found>(find: () => Found): Found[] {
  try {
    return [find()];
  } catch (error) {
    if (error instanceof ApiError) {
      return [];
    }
    throw error;
  }
}
