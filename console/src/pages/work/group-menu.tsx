import type { ReactNode } from "react";
import type { GroupResource } from "#api/group-api.ts";
import { useAction } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Menu, type MenuPlace } from "../../ui/menu.tsx";
import { useObstacle } from "../me.tsx";
import { GroupDialog, RemoveGroupDialog } from "./group-dialogs.tsx";
import { titleOf, type WorkOrder, type WorkTemplate } from "./work-order.ts";

/** What is being asked about a group. `add`: a group in it, or with `null` at the top. */
export type GroupQuestion =
  | { readonly type: "add"; readonly group: GroupResource | null }
  | { readonly type: "change" | "remove"; readonly group: GroupResource }
  | { readonly type: "menu"; readonly group: GroupResource; readonly place: MenuPlace };

type GroupQuestionProps = {
  readonly question: GroupQuestion;
  /** Of the computers in the group and in those in it. */
  readonly memberIds: readonly string[];
  readonly templates: readonly WorkTemplate[];
  readonly onOrder: (order: WorkOrder, ids: readonly string[]) => void;
  readonly onAsk: (question: GroupQuestion | null) => void;
};

/** The menu of a group, and the dialogs it leads to. */
export function GroupQuestions(props: GroupQuestionProps): ReactNode {
  const { question, onAsk } = props;
  const onClose = (): void => onAsk(null);
  switch (question.type) {
    case "menu":
      return <GroupMenu {...props} question={question} />;
    case "add":
      return <GroupDialog group={null} parentId={question.group?.id ?? null} onClose={onClose} />;
    case "change":
      return <GroupDialog group={question.group} parentId={question.group.parentId} onClose={onClose} />;
    case "remove":
      return <RemoveGroupDialog group={question.group} onClose={onClose} />;
  }
}

function GroupMenu(
  props: GroupQuestionProps & { readonly question: Extract<GroupQuestion, { type: "menu" }> },
): ReactNode {
  const { question, memberIds, templates, onOrder, onAsk } = props;
  const { group, place } = question;
  const operator = useObstacle("operator");
  const wake = useAction("wakeGroup", { done: ({ computers }) => text.groups.woken(computers.length) });
  const forMembers = operator ?? (memberIds.length === 0 ? text.groups.empty : null);
  return (
    <Menu
      label={text.groups.menu(group.name)}
      place={place}
      onClose={() => onAsk(null)}
      items={[
        {
          label: text.groups.addInside,
          icon: "plus",
          obstacle: operator,
          run: () => onAsk({ type: "add", group }),
        },
        {
          label: text.groups.change,
          icon: "folder",
          obstacle: operator,
          run: () => onAsk({ type: "change", group }),
        },
        "line",
        {
          label: text.work.wake,
          icon: "wake",
          obstacle: forMembers,
          run: () => wake.mutate({ id: group.id }),
        },
        ...templates.map(({ icon, order }) => ({
          label: titleOf(order),
          icon,
          obstacle: forMembers,
          run: () => onOrder(order, memberIds),
        })),
        "line",
        {
          label: text.groups.remove,
          icon: "cross",
          isDangerous: true,
          obstacle: operator,
          run: () => onAsk({ type: "remove", group }),
        },
      ]}
    />
  );
}
