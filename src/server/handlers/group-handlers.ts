import type { GroupResource } from "#api/group-api.ts";
import { type ComputerGroup, withNested } from "#engine/group/group-tree.ts";
import type { Scope } from "../accounts/scope.ts";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import type { PortolanServer } from "../server.ts";
import { toComputer } from "./computer-handlers.ts";

/** Where a limited account may put something: into a group of its own. @throws ApiError 403 | 404 | 409 */
function requirePlace({ groups }: PortolanServer, scope: Scope, word: string | null): void {
  if (word === null) {
    scope.requireWholeSite("what is in no group is the whole site's; name one of your groups");
  } else {
    scope.requireGroup(groups.require(word).id);
  }
}

export function groupHandlers(server: PortolanServer) {
  const { groups, registry, control, management } = server;
  const toGroup = ({ id, name, parentId }: ComputerGroup, counts = groups.counts()): GroupResource => ({
    ...{ id, name, parentId, path: groups.pathOf(id), computerCount: counts.get(id) ?? 0 },
    nestedComputerCount: [...withNested(groups.list(), [id])].reduce(
      (sum, nested) => sum + (counts.get(nested) ?? 0),
      0,
    ),
  });
  return {
    listGroups: async ({ scope }) => {
      const counts = groups.counts();
      const inside = groups.list().filter(({ id }) => scope.hasGroup(id));
      return inside
        .map((group) => toGroup(group, counts))
        .map((group) => (scope.hasGroup(group.parentId) ? group : { ...group, parentId: null }));
    },
    addGroup: async ({ body, scope }) => {
      requirePlace(server, scope, body.parent);
      return toGroup(await groups.add(body));
    },
    setGroup: async ({ id, body, scope }) => {
      if (body.parent !== undefined) {
        requirePlace(server, scope, body.parent);
      }
      return toGroup(await groups.set(id, body));
    },
    removeGroup: async ({ id, scope }) => {
      const group = groups.require(id);
      requirePlace(server, scope, group.parentId);
      const limited = await server.accounts.limitedTo(group.id);
      if (limited.length > 0) {
        throw new ApiError(
          409,
          "in-use",
          `${limited.join(", ")} would be limited to nothing; give them other groups first, or revoke the token`,
        );
      }
      await groups.remove(id);
      return { ok: true as const };
    },
    moveComputers: async ({ body, scope }) => {
      const ids = new Set(body.computers.map((word) => registry.require(word).id));
      scope.requireComputers(ids);
      requirePlace(server, scope, body.group);
      await groups.move([...ids], body.group);
      return [...ids].map((id) => toComputer(server, registry.require(id)));
    },
    wakeGroup: async ({ id }) => {
      const computers = [...groups.computersIn(groups.require(id).id)].filter(
        (computerId) => registry.get(computerId) !== null && control.find(computerId) === null,
      );
      let sent = 0;
      for (const computerId of computers) {
        sent += (await management.wake.order(computerId)).sentCount;
      }
      return { computers, sent };
    },
  } satisfies Partial<ApiHandlers>;
}
