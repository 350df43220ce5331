import type { StoredComputer } from "#store/computer-store.ts";
import type { Scope } from "./accounts/scope.ts";
import { ApiError } from "./api-error.ts";
import type { PortolanServer } from "./server.ts";

/** Computers as a request names them: one by one, or all that are in a group now. */
export type TargetWords = {
  readonly computers: readonly string[];
  readonly groups: readonly string[];
};

/** Each computer once. @throws ApiError 403 | 404 | 409 when a word means nothing, too much or what is outside, or a group is empty */
export function findTargets(
  { registry, groups }: Pick<PortolanServer, "registry" | "groups">,
  words: TargetWords,
  scope: Scope,
): StoredComputer[] {
  const found = new Map<string, StoredComputer>();
  for (const word of words.computers) {
    const computer = registry.require(word);
    found.set(computer.id, computer);
  }
  for (const word of words.groups) {
    const group = groups.require(word);
    scope.requireGroup(group.id);
    const members = [...groups.computersIn(group.id)]
      .map((id) => registry.get(id))
      .filter((computer) => computer !== null);
    if (members.length === 0) {
      throw new ApiError(
        409,
        "empty-group",
        `no computer is in the group ${groups.pathOf(group.id)}; portolan computer move puts some there`,
      );
    }
    members.forEach((computer) => found.set(computer.id, computer));
  }
  scope.requireComputers(found.keys());
  return [...found.values()];
}

/** Work that writes disks is for approved computers only; an identity in doubt never gets it. @throws ApiError 409 */
export function requireApproved(server: PortolanServer, words: TargetWords, scope: Scope): string[] {
  const computers = findTargets(server, words, scope);
  const refused = computers.find((computer) => computer.state !== "approved");
  if (refused !== undefined) {
    const why =
      refused.state === "conflict"
        ? `is held: ${refused.reason}`
        : `waits for approval; portolan computer approve ${refused.id} lets it in`;
    throw new ApiError(409, "not-approved", `computer ${refused.id} (${refused.name}) ${why}`);
  }
  return computers.map(({ id }) => id);
}
