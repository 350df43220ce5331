import { buildRouteMap } from "@stricli/core";
import type { GroupResource } from "#api/group-api.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { formatTable } from "../format-table.ts";
import { printable } from "../printable-text.ts";

function formatGroups(groups: readonly GroupResource[]): string {
  if (groups.length === 0) {
    return "no group yet; portolan group add NAME makes one";
  }
  const rows = groups
    .toSorted((a, b) => a.path.localeCompare(b.path))
    .map(({ id, path, computerCount, nestedComputerCount }) => [
      id,
      printable(path),
      String(computerCount),
      String(nestedComputerCount),
    ]);
  return formatTable(["id", "group", "computers", "with nested"], rows);
}

/** `/` stands for the top, where no group is. */
export function readGroupWord(text: string): string | null {
  return text === "/" ? null : text;
}

export const groupCommand = buildRouteMap({
  docs: { brief: "Groups of computers: a tree that jobs, wake and accounts name" },
  routes: {
    list: apiCommand({
      brief: "Every group with its computers, counted",
      run: async ({ client }) => {
        const groups = await client.call("listGroups");
        return { json: groups, text: formatGroups(groups) };
      },
    }),
    add: apiCommand<[string]>({
      brief: "Make a group",
      arguments: ["NAME"],
      flags: { parent: { brief: "Group it shall be in", placeholder: "GROUP" } },
      run: async ({ client, args: [name], flags: { parent } }) => {
        const group = await client.call("addGroup", { body: { name, parent: parent ?? null } });
        return { json: group, text: formatGroups([group]) };
      },
    }),
    set: apiCommand<[string]>({
      brief: "Rename a group, or move it with everything in it",
      arguments: ["GROUP"],
      flags: {
        name: { brief: "New name", placeholder: "NAME" },
        parent: { brief: "Group it shall be in; / for the top", placeholder: "GROUP" },
      },
      run: async ({ client, args: [id], flags: { name, parent } }) => {
        if (name === undefined && parent === undefined) {
          throw new UsageError("say what to change: --name, --parent");
        }
        const group = await client.call("setGroup", {
          id,
          body: {
            ...(name === undefined ? {} : { name }),
            ...(parent === undefined ? {} : { parent: readGroupWord(parent) }),
          },
        });
        return { json: group, text: formatGroups([group]) };
      },
    }),
    remove: apiCommand<[string]>({
      brief: "Remove a group; what is in it goes to the group it was in",
      arguments: ["GROUP"],
      run: async ({ client, args: [id] }) => {
        const answer = await client.call("removeGroup", { id });
        return { json: answer, text: `${printable(id)} is removed` };
      },
    }),
    wake: apiCommand<[string]>({
      brief: "Wake every computer in a group, again and again until it is seen",
      arguments: ["GROUP"],
      run: async ({ client, args: [id] }) => {
        const woken = await client.call("wakeGroup", { id });
        return {
          json: woken,
          text: `waking ${woken.computers.length} computers; sent ${woken.sent} magic packets`,
        };
      },
    }),
  },
});
