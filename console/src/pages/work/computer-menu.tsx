import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import { call } from "../../api/client.ts";
import { text } from "../../text/text.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { Menu, type MenuItem, type MenuPlace } from "../../ui/menu.tsx";
import { showToast } from "../../ui/toast.tsx";
import { AgentSettingsDialog } from "../agent-settings-dialog.tsx";
import { useObstacle } from "../me.tsx";
import { MoveDialog } from "./group-dialogs.tsx";
import { titleOf, type WorkOrder, type WorkTemplate } from "./work-order.ts";

/** One call for each computer, and one sentence about all. */
export function useEach() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (given: {
      readonly name: "approveComputer" | "wakeComputer" | "forgetComputer";
      readonly computers: readonly ComputerResource[];
    }) => {
      const outcomes = await Promise.allSettled(given.computers.map(({ id }) => call(given.name, { id })));
      const failed = outcomes.filter((outcome) => outcome.status === "rejected");
      return { given, failed: failed.map(({ reason }) => (reason as Error).message) };
    },
    onSuccess: ({ given, failed }) => {
      const doneCount = given.computers.length - failed.length;
      if (doneCount > 0) {
        showToast({ kind: "done", text: text.work.eachDone[given.name](doneCount) });
      }
      [...new Set(failed)].forEach((reason) => showToast({ kind: "failed", text: reason }));
      return client.invalidateQueries({ queryKey: ["listComputers"] });
    },
  });
}

/** Everything that can be done with the selected computers, for mouse and keyboard alike. */
export function ComputerMenu(props: {
  readonly computers: readonly ComputerResource[];
  readonly templates: readonly WorkTemplate[];
  readonly place: MenuPlace;
  readonly onOrder: (order: WorkOrder, ids: readonly string[]) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { computers, templates, place, onOrder, onClose } = props;
  const navigate = useNavigate();
  const each = useEach();
  const [asked, setAsked] = useState<Question | null>(null);
  const operator = useObstacle("operator");
  const administrator = useObstacle("administrator");
  const pending = computers.filter(({ state }) => state !== "approved");
  const ids = computers.map(({ id }) => id);
  const [first] = ids;
  const work: MenuItem[] = templates.map(({ icon, order }) => ({
    label: titleOf(order),
    icon,
    obstacle: operator,
    run: () => onOrder(order, ids),
  }));
  if (asked !== null) {
    const Asked = questions[asked];
    return <Asked computers={computers} onClose={onClose} />;
  }
  return (
    <Menu
      label={text.work.menu}
      place={place}
      onClose={() => undefined}
      key="menu"
      items={[
        ...(first !== undefined && ids.length === 1
          ? [
              {
                label: text.work.open,
                run: () => void navigate({ to: "/computers/$id/{-$tab}", params: { id: first } }),
              },
            ]
          : []),
        ...(pending.length === 0
          ? []
          : [
              {
                label: text.work.approve(pending.length),
                icon: "check" as const,
                obstacle: operator,
                run: () => each.mutate({ name: "approveComputer", computers: pending }),
              },
            ]),
        {
          label: text.work.wake,
          icon: "wake",
          obstacle: operator,
          run: () => each.mutate({ name: "wakeComputer", computers }),
        },
        "line",
        ...work,
        "line",
        { label: text.groups.moveTo, icon: "folder", obstacle: operator, run: () => setAsked("move") },
        ...administratorItems(administrator, setAsked),
      ].map((item) => closing(item as MenuItem | "line", onClose))}
    />
  );
}

function administratorItems(obstacle: string | null, ask: (what: Question) => void): readonly MenuItem[] {
  return [
    { label: text.agent.menu, icon: "options", obstacle, run: () => ask("settings") },
    { label: text.work.forget, icon: "cross", isDangerous: true, obstacle, run: () => ask("forget") },
  ];
}

/** Closes the menu after the choice, but for those that ask on. */
function closing(item: MenuItem | "line", onClose: () => void): MenuItem | "line" {
  if (item === "line" || [text.work.forget, text.agent.menu, text.groups.moveTo].includes(item.label)) {
    return item;
  }
  return {
    ...item,
    run: () => {
      onClose();
      item.run();
    },
  };
}

function ForgetDialog(props: {
  readonly computers: readonly ComputerResource[];
  readonly onClose: () => void;
}): ReactNode {
  const { computers, onClose } = props;
  const each = useEach();
  return (
    <Dialog
      title={text.work.forget}
      onClose={onClose}
      action={{
        label: text.work.forgetDo(computers.length),
        run: () => each.mutate({ name: "forgetComputer", computers }, { onSettled: onClose }),
        isOff: each.isPending,
        isDangerous: true,
      }}
    >
      <p>{text.work.forgetWarning}</p>
      <ul className="named">
        {computers.slice(0, 12).map(({ id, name }) => (
          <li key={id}>
            <strong>{name}</strong>
          </li>
        ))}
        {computers.length > 12 ? <li>{text.work.andMore(computers.length - 12)}</li> : null}
      </ul>
    </Dialog>
  );
}

const questions = { forget: ForgetDialog, settings: AgentSettingsDialog, move: MoveDialog } as const;
type Question = keyof typeof questions;
