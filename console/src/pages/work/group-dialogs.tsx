import { type ReactNode, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import type { GroupResource } from "#api/group-api.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { ChoiceField, TextField } from "../../ui/field.tsx";
import { listFolders } from "./groups.ts";

/** Groups to choose from, by their paths; the empty value is none of them. */
function usePlaces(none: string, isOffered: (group: GroupResource) => boolean = () => true) {
  const groups = useApi("listGroups");
  const places = listFolders(groups.data ?? []).flatMap(({ group }) =>
    group !== null && isOffered(group) ? [[group.id, group.path] as const] : [],
  );
  return [["", none] as const, ...places];
}

/** Makes a group, or with `group` renames and moves one. */
export function GroupDialog(props: {
  readonly group: GroupResource | null;
  readonly parentId: string | null;
  readonly onClose: () => void;
}): ReactNode {
  const { group, onClose } = props;
  const [name, setName] = useState(group?.name ?? "");
  const [parentId, setParentId] = useState(props.parentId ?? "");
  const isInside = ({ path }: GroupResource): boolean =>
    group !== null && `${path}/`.startsWith(`${group.path}/`);
  const places = usePlaces(text.groups.top, (other) => !isInside(other));
  const add = useAction("addGroup", { done: ({ path }) => text.groups.made(path), isQuiet: true });
  const change = useAction("setGroup", { done: ({ path }) => text.groups.changed(path), isQuiet: true });
  const body = { name: name.trim(), parent: parentId === "" ? null : parentId };
  return (
    <Dialog
      title={group === null ? text.groups.addTitle : text.groups.changeTitle(group.name)}
      onClose={onClose}
      action={{
        label: group === null ? text.groups.make : text.common.save,
        run: () =>
          group === null
            ? add.mutate({ body }, { onSuccess: onClose })
            : change.mutate({ id: group.id, body }, { onSuccess: onClose }),
        isOff: body.name === "" || add.isPending || change.isPending,
      }}
      error={add.error ?? change.error}
    >
      <TextField label={text.groups.name} value={name} onChange={setName} maxLength={64} autoFocus required />
      <ChoiceField label={text.groups.parent} value={parentId} choices={places} onChange={setParentId} />
    </Dialog>
  );
}

export function RemoveGroupDialog(props: {
  readonly group: GroupResource;
  readonly onClose: () => void;
}): ReactNode {
  const { group, onClose } = props;
  const remove = useAction("removeGroup", { done: () => text.groups.removed(group.name), isQuiet: true });
  const above = group.path.slice(0, -group.name.length - 1);
  return (
    <Dialog
      title={text.groups.removeTitle(group.name)}
      onClose={onClose}
      action={{
        label: text.groups.removeDo,
        run: () => remove.mutate({ id: group.id }, { onSuccess: onClose }),
        isOff: remove.isPending,
        isDangerous: true,
      }}
      error={remove.error}
    >
      <p>{text.groups.removeHint(above === "" ? null : above)}</p>
    </Dialog>
  );
}

/** Puts computers into a group or out of every group; what a drop on a group does. */
export function useMoveComputers(options: { readonly isQuiet?: boolean } = {}) {
  const groups = useApi("listGroups");
  return useAction("moveComputers", {
    ...options,
    done: (moved) => {
      const group = groups.data?.find(({ id }) => id === moved[0]?.groupId);
      return text.groups.moved(moved.length, group?.path ?? null);
    },
  });
}

export function MoveDialog(props: {
  readonly computers: readonly ComputerResource[];
  readonly onClose: () => void;
}): ReactNode {
  const { computers, onClose } = props;
  const [groupId, setGroupId] = useState(computers[0]?.groupId ?? "");
  const move = useMoveComputers({ isQuiet: true });
  const places = usePlaces(text.groups.none);
  return (
    <Dialog
      title={text.groups.moveTitle(computers.length)}
      onClose={onClose}
      action={{
        label: text.groups.moveDo,
        run: () =>
          move.mutate(
            { body: { computers: computers.map(({ id }) => id), group: groupId === "" ? null : groupId } },
            { onSuccess: onClose },
          ),
        isOff: move.isPending,
      }}
      error={move.error}
    >
      <ChoiceField label={text.groups.group} value={groupId} choices={places} onChange={setGroupId} />
    </Dialog>
  );
}
