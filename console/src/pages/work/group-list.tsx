import { type DragEvent, type ReactNode, useMemo, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import { text } from "../../text/text.ts";
import { acceptsDrop, type DragPayload, readDrop } from "../../ui/drag.ts";
import type { Group } from "./groups.ts";

type GroupListProps = {
  readonly groups: readonly Group[];
  readonly computers: readonly ComputerResource[];
  readonly current: string;
  readonly onChoose: (key: string) => void;
  /** `null` for those who may not order work. */
  readonly onDrop: ((payload: DragPayload, ids: readonly string[]) => void) | null;
  readonly onRemoveFilter: (title: string) => void;
};

const headings = {
  all: null,
  status: text.work.byStatus,
  segment: text.work.bySegment,
  filter: text.work.savedFilters,
};

/** Groups with their counts. A job dropped on one is for all in it. */
export function GroupList(props: GroupListProps): ReactNode {
  const { groups, computers } = props;
  // Of ten thousand computers and a dozen groups: not again at every key and every selection.
  const counted = useMemo(
    () => groups.map((group) => ({ group, members: computers.filter(group.contains) })),
    [groups, computers],
  );
  return (
    <nav className="groups" aria-label={text.work.groups}>
      {(["all", "status", "segment", "filter"] as const).map((kind) => {
        const shown = counted.filter(
          ({ group, members }) => group.kind === kind && (kind !== "status" || members.length > 0),
        );
        return shown.length === 0 ? null : (
          <section key={kind}>
            {headings[kind] === null ? null : <h3>{headings[kind]}</h3>}
            <ul>
              {shown.map(({ group, members }) => (
                <GroupEntry key={group.key} {...{ group, members, props }} />
              ))}
            </ul>
          </section>
        );
      })}
    </nav>
  );
}

function GroupEntry(given: {
  readonly group: Group;
  readonly members: readonly ComputerResource[];
  readonly props: GroupListProps;
}): ReactNode {
  const { group, members, props } = given;
  const [isTarget, setTarget] = useState(false);
  const kinds = ["job", "work"] as const;
  return (
    <li className={isTarget ? "drop-target" : ""}>
      <button
        type="button"
        aria-pressed={group.key === props.current}
        onClick={() => props.onChoose(group.key)}
        onDragOver={(event: DragEvent) => props.onDrop !== null && setTarget(acceptsDrop(event, kinds))}
        onDragLeave={() => setTarget(false)}
        onDrop={(event: DragEvent) => {
          setTarget(false);
          const payload = readDrop(event, kinds);
          if (payload !== null) {
            props.onDrop?.(
              payload,
              members.map(({ id }) => id),
            );
          }
        }}
      >
        <span className="clip">{group.title}</span>
        <small>{members.length}</small>
      </button>
      {group.kind === "filter" ? (
        <button
          type="button"
          className="icon-button"
          aria-label={text.work.removeFilter(group.title)}
          onClick={() => props.onRemoveFilter(group.title)}
        >
          ×
        </button>
      ) : null}
    </li>
  );
}
