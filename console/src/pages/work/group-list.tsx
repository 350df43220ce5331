import { type DragEvent, type KeyboardEvent, type ReactNode, useMemo, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import { text } from "../../text/text.ts";
import { acceptsDrop, type DragPayload, readDrop } from "../../ui/drag.ts";
import { Icon } from "../../ui/icon.tsx";
import { useObstacle } from "../me.tsx";
import { useMoveComputers } from "./group-dialogs.tsx";
import { type GroupQuestion, GroupQuestions } from "./group-menu.tsx";
import { type Counted, countMembers, type Group, keepFolded, readFolded } from "./groups.ts";
import type { WorkOrder, WorkTemplate } from "./work-order.ts";

type GroupListProps = {
  readonly groups: readonly Group[];
  readonly computers: readonly ComputerResource[];
  readonly templates: readonly WorkTemplate[];
  readonly current: string;
  readonly onChoose: (key: string) => void;
  readonly onDrop: (payload: DragPayload, ids: readonly string[]) => void;
  readonly onOrder: (order: WorkOrder, ids: readonly string[]) => void;
  readonly onRemoveFilter: (title: string) => void;
};

const headings = {
  all: null,
  folder: text.groups.title,
  status: text.work.byStatus,
  segment: text.work.bySegment,
  filter: text.work.savedFilters,
};

function useFolding() {
  const [folded, setFolded] = useState(readFolded);
  const fold = (id: string, isFolded: boolean): void => {
    const next = new Set(folded);
    if (isFolded) {
      next.add(id);
    } else {
      next.delete(id);
    }
    keepFolded(next);
    setFolded(next);
  };
  /** Without what lies in folded groups. */
  const unfolded = (counted: readonly Counted[]): readonly Counted[] => {
    const hidden = new Set<string>();
    return counted.filter(({ entry }) => {
      if (entry.kind !== "folder" || entry.group === null) {
        return true;
      }
      const { id, parentId } = entry.group;
      const isHidden = parentId !== null && hidden.has(parentId);
      if (isHidden || folded.has(id)) {
        hidden.add(id);
      }
      return !isHidden;
    });
  };
  return { folded, fold, unfolded };
}

/** Groups with their counts. A job dropped on one is for all in it; computers dropped on a folder are moved into it. */
export function GroupList(props: GroupListProps): ReactNode {
  const { groups, computers, templates } = props;
  const obstacle = useObstacle("operator");
  const { folded, fold, unfolded } = useFolding();
  const [question, setQuestion] = useState<GroupQuestion | null>(null);
  // Of ten thousand computers: not again at every key and every selection.
  const counted = useMemo(() => countMembers(groups, computers), [groups, computers]);
  const askedKey = `folder:${question?.group?.id ?? ""}`;
  const asked = counted.find(({ entry }) => entry.key === askedKey);
  return (
    <nav className="groups" aria-label={text.work.groups}>
      {(["all", "folder", "status", "segment", "filter"] as const).map((kind) => {
        const shown = unfolded(
          counted.filter(({ entry, ids }) => entry.kind === kind && (kind !== "status" || ids.length > 0)),
        );
        return shown.length === 0 && kind !== "folder" ? null : (
          <section key={kind}>
            {headings[kind] === null ? null : <h3>{headings[kind]}</h3>}
            {kind !== "folder" ? null : (
              <button
                type="button"
                className="icon-button add-group"
                aria-label={text.groups.add}
                title={obstacle ?? text.groups.add}
                disabled={obstacle !== null}
                onClick={() => setQuestion({ type: "add", group: null })}
              >
                <Icon name="plus" />
              </button>
            )}
            <ul>
              {shown.map(({ entry, ids }) => (
                <GroupEntry
                  key={entry.key}
                  {...{ entry, ids, props, fold }}
                  isFolded={entry.kind === "folder" && folded.has(entry.group?.id ?? "")}
                  onAsk={setQuestion}
                />
              ))}
            </ul>
          </section>
        );
      })}
      {question === null ? null : (
        <GroupQuestions
          {...{ question, templates }}
          memberIds={asked?.ids ?? []}
          onOrder={props.onOrder}
          onAsk={setQuestion}
        />
      )}
    </nav>
  );
}

type EntryProps = Counted & {
  readonly entry: Group;
  readonly props: GroupListProps;
  readonly isFolded: boolean;
  readonly fold: (id: string, isFolded: boolean) => void;
  readonly onAsk: (question: GroupQuestion) => void;
};

/** Where work may be dropped, and on a folder computers. */
function useDrop({ entry, ids, props }: EntryProps) {
  const [isTarget, setTarget] = useState(false);
  const obstacle = useObstacle("operator");
  const move = useMoveComputers();
  const kinds =
    entry.kind === "folder" ? (["job", "work", "computers"] as const) : (["job", "work"] as const);
  return {
    isTarget,
    handlers: {
      onDragOver: (event: DragEvent) => obstacle === null && setTarget(acceptsDrop(event, kinds)),
      onDragLeave: () => setTarget(false),
      onDrop: (event: DragEvent) => {
        setTarget(false);
        const payload = obstacle === null ? readDrop(event, kinds) : null;
        if (payload?.kind === "computers" && entry.kind === "folder") {
          move.mutate({ body: { computers: [...payload.ids], group: entry.group?.id ?? null } });
        } else if (payload !== null) {
          props.onDrop(payload, ids);
        }
      },
    },
  };
}

function placeBelow(element: HTMLElement): { x: number; y: number } {
  const { left, bottom } = element.getBoundingClientRect();
  return { x: left + 16, y: bottom };
}

function GroupEntry(given: EntryProps): ReactNode {
  const { entry, ids, props, isFolded, fold, onAsk } = given;
  const { isTarget, handlers } = useDrop(given);
  const folder = entry.kind === "folder" ? entry : null;
  const group = folder?.group ?? null;
  const canChange = useObstacle("operator") === null;
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const act =
      group === null
        ? undefined
        : {
            ArrowRight: () => fold(group.id, false),
            ArrowLeft: () => fold(group.id, true),
            ...(canChange
              ? {
                  F2: () => onAsk({ type: "change", group }),
                  Delete: () => onAsk({ type: "remove", group }),
                }
              : {}),
            ContextMenu: () => onAsk({ type: "menu", group, place: placeBelow(event.currentTarget) }),
          }[event.key === "F10" && event.shiftKey ? "ContextMenu" : event.key];
    if (act !== undefined) {
      event.preventDefault();
      act();
    }
  };
  return (
    <li
      className={isTarget ? "drop-target" : ""}
      aria-level={folder === null ? undefined : folder.depth + 1}
      style={folder === null ? {} : { paddingLeft: folder.depth * 12 }}
      onContextMenu={(event) => {
        if (group !== null) {
          event.preventDefault();
          onAsk({ type: "menu", group, place: { x: event.clientX, y: event.clientY } });
        }
      }}
      {...handlers}
    >
      {group !== null && (folder?.inside.size ?? 0) > 1 ? (
        <button
          type="button"
          className="icon-button fold"
          aria-expanded={!isFolded}
          aria-label={text.groups.fold(group.name)}
          onClick={() => fold(group.id, !isFolded)}
        >
          <Icon name={isFolded ? "right" : "down"} />
        </button>
      ) : folder === null ? null : (
        <span className="fold" />
      )}
      <button
        type="button"
        className="group-button"
        aria-pressed={entry.key === props.current}
        title={group?.path}
        onClick={() => props.onChoose(entry.key)}
        onKeyDown={onKeyDown}
      >
        {group === null ? null : <Icon name="folder" />}
        <span className="clip">{entry.title}</span>
        <small>{ids.length.toLocaleString()}</small>
      </button>
      <EntryAction {...given} />
    </li>
  );
}

/** What stands at the end of a row: the menu of a group, or what removes a filter. */
function EntryAction({ entry, props, onAsk }: EntryProps): ReactNode {
  if (entry.kind === "filter") {
    return (
      <button
        type="button"
        className="icon-button"
        aria-label={text.work.removeFilter(entry.title)}
        onClick={() => props.onRemoveFilter(entry.title)}
      >
        ×
      </button>
    );
  }
  const group = entry.kind === "folder" ? entry.group : null;
  return group === null ? null : (
    <button
      type="button"
      className="icon-button group-more"
      aria-haspopup="menu"
      aria-label={text.groups.menu(group.name)}
      onClick={(event) => onAsk({ type: "menu", group, place: placeBelow(event.currentTarget) })}
    >
      <Icon name="more" />
    </button>
  );
}
