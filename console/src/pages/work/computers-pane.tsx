import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useDeferredValue, useMemo, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { DataGrid, type GridColumn } from "../../ui/data-grid.tsx";
import type { DragPayload } from "../../ui/drag.ts";
import { Icon } from "../../ui/icon.tsx";
import type { MenuPlace } from "../../ui/menu.tsx";
import { Empty, Progress, Time } from "../../ui/pieces.tsx";
import { useObstacle } from "../me.tsx";
import { ComputerMenu } from "./computer-menu.tsx";
import { type CurrentRun, statusOf } from "./computer-status.ts";
import { GroupList } from "./group-list.tsx";
import { FilterDialog } from "./filter-dialog.tsx";
import {
  type Group,
  keepFilters,
  listFolders,
  listGroups,
  matchesText,
  readFilters,
  type SavedFilter,
} from "./groups.ts";
import type { WorkOrder, WorkTemplate } from "./work-order.ts";

export type ComputersPaneProps = {
  readonly computers: readonly ComputerResource[];
  readonly runs: ReadonlyMap<string, CurrentRun>;
  readonly selection: ReadonlySet<string>;
  readonly templates: readonly WorkTemplate[];
  readonly onSelect: (ids: ReadonlySet<string>) => void;
  readonly onDrop: (payload: DragPayload, ids: readonly string[]) => void;
  readonly onOrder: (order: WorkOrder, ids: readonly string[]) => void;
};

function columnsFor(runs: ReadonlyMap<string, CurrentRun>): GridColumn<ComputerResource>[] {
  return [
    {
      key: "name",
      title: text.work.name,
      width: "minmax(80px, 1fr)",
      sortBy: ({ name }) => name,
      render: (computer) => {
        const { tone, label } = statusOf(computer, runs.get(computer.id));
        return (
          <span className="named-cell">
            <span className={`dot dot-${tone}`} role="img" aria-label={label} />
            <span className="clip">{computer.name}</span>
          </span>
        );
      },
    },
    {
      key: "status",
      title: text.work.status,
      width: "minmax(136px, 1.3fr)",
      sortBy: (computer) => statusOf(computer, runs.get(computer.id)).label,
      render: (computer) => {
        const { label, percent, tone } = statusOf(computer, runs.get(computer.id));
        return percent === null ? (
          <span className={`clip tone-${tone}`}>{label}</span>
        ) : (
          <span className="with-progress">
            <Progress percent={percent} label={`${computer.name}: ${label}`} />
            <small className="clip">
              {Math.round(percent)} % {label}
            </small>
          </span>
        );
      },
    },
    {
      key: "address",
      title: text.work.address,
      width: "100px",
      sortBy: ({ address }) => address ?? "",
      render: ({ address }) => <span className="mono clip">{address ?? "–"}</span>,
    },
    {
      key: "seen",
      title: text.work.lastSeen,
      width: "68px",
      sortBy: ({ lastSeenAt }) => lastSeenAt ?? 0,
      render: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
    },
  ];
}

/** Groups and the filter, and which computers they leave. */
function useRows({ computers, runs }: Pick<ComputersPaneProps, "computers" | "runs">) {
  const plan = useApi("showPlan");
  const siteGroups = useApi("listGroups");
  const [filters, setFilters] = useState(readFilters);
  const [groupKey, setGroupKey] = useState("all");
  const [wanted, setWanted] = useState("");
  const search = useDeferredValue(wanted.trim());
  const groups = useMemo(
    () => listGroups(runs, listFolders(siteGroups.data ?? []), plan.data?.segments ?? [], filters),
    [runs, siteGroups.data, plan.data, filters],
  );
  const group = groups.find(({ key }) => key === groupKey) ?? groups[0];
  const rows = useMemo(
    () =>
      computers.filter(
        (computer) => (group?.contains(computer) ?? true) && (search === "" || matchesText(computer, search)),
      ),
    [computers, group, search],
  );
  const saveFilters = (next: readonly SavedFilter[]): void => {
    keepFilters(next);
    setFilters(next);
  };
  return { filters, saveFilters, groups, group, setGroupKey, wanted, setWanted, search, rows };
}

/** Left pane: groups, filter and the computers themselves. */
export function ComputersPane(props: ComputersPaneProps): ReactNode {
  const { computers, runs, selection, onSelect, onDrop } = props;
  const navigate = useNavigate();
  const canDrag = useObstacle("operator") === null;
  const shown = useRows(props);
  const { filters, saveFilters, groups, group, rows } = shown;
  const [menu, setMenu] = useState<MenuPlace | null>(null);
  const columns = useMemo(() => columnsFor(runs), [runs]);
  const dropOnRow = ({ id }: ComputerResource, payload: DragPayload): void =>
    onDrop(payload, selection.has(id) ? [...selection] : [id]);
  return (
    <section className="pane pane-computers" aria-label={text.nav.computers}>
      <GroupList
        {...{ groups, computers, onDrop }}
        templates={props.templates}
        current={group?.key ?? "all"}
        onChoose={shown.setGroupKey}
        onOrder={props.onOrder}
        onRemoveFilter={(title) => saveFilters(filters.filter(({ name }) => name !== title))}
      />
      <div className="pane-main">
        <PaneHead {...shown} count={text.work.count(rows.length, computers.length, selection.size)} />
        <DataGrid
          label={text.nav.computers}
          rows={rows}
          columns={columns}
          idOf={({ id }) => id}
          initialSort={{ key: "name", isDown: false }}
          selection={selection}
          onSelect={onSelect}
          onOpen={({ id }) => void navigate({ to: "/computers/$id/{-$tab}", params: { id } })}
          onMenu={(_row, place) => setMenu(place)}
          drag={({ id }) =>
            canDrag ? { kind: "computers", ids: selection.has(id) ? [...selection] : [id] } : null
          }
          {...(canDrag ? { drop: { accepts: ["job", "work"] as const, onDrop: dropOnRow } } : {})}
          empty={<NoComputers isFiltered={computers.length > 0} />}
        />
      </div>
      {menu === null ? null : (
        <ComputerMenu
          computers={computers.filter(({ id }) => selection.has(id))}
          templates={props.templates}
          place={menu}
          onOrder={props.onOrder}
          onClose={() => setMenu(null)}
        />
      )}
    </section>
  );
}

function PaneHead(props: {
  readonly wanted: string;
  readonly setWanted: (wanted: string) => void;
  readonly search: string;
  readonly group: Group | undefined;
  readonly filters: readonly SavedFilter[];
  readonly saveFilters: (filters: readonly SavedFilter[]) => void;
  readonly setGroupKey: (key: string) => void;
  readonly count: string;
}): ReactNode {
  const { wanted, setWanted, search, group, filters, saveFilters, count } = props;
  const [isNaming, setNaming] = useState(false);
  return (
    <div className="pane-head">
      <label className="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label={text.work.filter}
          placeholder={text.work.filter}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      </label>
      {search === "" || group?.kind === "filter" ? null : (
        <button type="button" className="button small" onClick={() => setNaming(true)}>
          {text.work.saveFilter}
        </button>
      )}
      <span className="muted count">{count}</span>
      {isNaming ? (
        <FilterDialog
          words={search}
          within={group}
          onKeep={(filter) => {
            saveFilters([...filters.filter(({ name }) => name !== filter.name), filter]);
            props.setGroupKey(`filter:${filter.name}`);
            setWanted("");
          }}
          onClose={() => setNaming(false)}
        />
      ) : null}
    </div>
  );
}

function NoComputers({ isFiltered }: { readonly isFiltered: boolean }): ReactNode {
  return isFiltered ? (
    <Empty icon="search" title={text.work.noMatch} />
  ) : (
    <Empty icon="computer" title={text.work.noComputer}>
      {text.work.noComputerHint}
    </Empty>
  );
}
