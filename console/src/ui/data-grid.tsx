import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type DragEvent,
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useMemo,
  useRef,
  useState,
} from "react";
import { acceptsDrop, type DragPayload, type DropKind, readDrop, startDrag } from "./drag.ts";
import { Icon } from "./icon.tsx";

export type GridColumn<Row> = {
  readonly key: string;
  readonly title: string;
  /** CSS grid track. */
  readonly width: string;
  readonly render: (row: Row) => ReactNode;
  /** What it is sorted by; without it the column cannot be sorted. */
  readonly sortBy?: (row: Row) => string | number;
};

export type GridProps<Row> = {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly GridColumn<Row>[];
  readonly idOf: (row: Row) => string;
  readonly selection?: ReadonlySet<string>;
  readonly onSelect?: (ids: ReadonlySet<string>) => void;
  readonly onOpen?: (row: Row) => void;
  readonly onMenu?: (row: Row, place: { x: number; y: number }) => void;
  readonly drag?: (row: Row) => DragPayload | null;
  readonly drop?: {
    readonly accepts: readonly DropKind[];
    readonly onDrop: (row: Row, payload: DragPayload) => void;
  };
  readonly rowHeight?: number;
  readonly empty: ReactNode;
  readonly initialSort?: { readonly key: string; readonly isDown: boolean };
};

const collator = new Intl.Collator(undefined, { numeric: true });

type SelectHow = "one" | "toggle" | "range";

function useSorted<Row>({ rows, columns, initialSort }: GridProps<Row>) {
  const [sort, setSort] = useState(initialSort ?? null);
  const sorted = useMemo(() => {
    const by = columns.find(({ key }) => key === sort?.key)?.sortBy;
    if (by === undefined || sort === null) {
      return rows;
    }
    const sign = sort.isDown ? -1 : 1;
    // What is compared is read once for each row, not once for each comparison.
    return rows
      .map((row) => ({ row, key: by(row) }))
      .sort(({ key: left }, { key: right }) =>
        typeof left === "number" && typeof right === "number"
          ? sign * (left - right)
          : sign * collator.compare(String(left), String(right)),
      )
      .map(({ row }) => row);
    // Columns are made anew at each drawing; their keys say what they sort by.
  }, [rows, sort]);
  return { sort, setSort, sorted };
}

/** One row, one more, or all between: as a click with nothing, Ctrl or Shift does. */
function useSelecting<Row>({ idOf, selection, onSelect }: GridProps<Row>, sorted: readonly Row[]) {
  const [active, setActive] = useState(0);
  const anchor = useRef(0);
  const select = (index: number, how: SelectHow): void => {
    const row = sorted[index];
    if (row === undefined) {
      return;
    }
    setActive(index);
    if (how === "range") {
      const [from, to] = [Math.min(anchor.current, index), Math.max(anchor.current, index)];
      onSelect?.(new Set(sorted.slice(from, to + 1).map(idOf)));
      return;
    }
    anchor.current = index;
    const id = idOf(row);
    const next = new Set(how === "toggle" ? selection : []);
    if (how === "toggle" && next.has(id)) {
      next.delete(id);
    } else {
      next.add(id);
    }
    onSelect?.(next);
  };
  return { active, select };
}

/** A list of any length: only what is seen is drawn. Arrow keys move, space and shift select, Enter opens. */
export function DataGrid<Row>(props: GridProps<Row>): ReactNode {
  const { label, columns, idOf, selection, rowHeight = 30, empty } = props;
  const { sort, setSort, sorted } = useSorted(props);
  const scroller = useRef<HTMLDivElement>(null);
  const { active, select } = useSelecting(props, sorted);
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const template = columns.map(({ width }) => width).join(" ");
  const current = sorted[active];
  const pageSize = Math.floor((scroller.current?.clientHeight ?? 300) / rowHeight);
  const onKeyDown = (event: KeyboardEvent): void =>
    moveByKey(
      event,
      { active, count: sorted.length, pageSize },
      {
        go: (index) => {
          virtual.scrollToIndex(index);
          select(index, event.shiftKey ? "range" : "one");
        },
        toggle: () => select(active, "toggle"),
        all: () => props.onSelect?.(new Set(sorted.map(idOf))),
        open: () => current !== undefined && props.onOpen?.(current),
        menu: () => {
          const box = scroller.current?.querySelector("[data-active=true]")?.getBoundingClientRect();
          if (current !== undefined && box !== undefined) {
            props.onMenu?.(current, { x: box.left + 40, y: box.bottom });
          }
        },
      },
    );
  return (
    <div
      className="grid"
      role="grid"
      aria-label={label}
      aria-rowcount={sorted.length + 1}
      aria-multiselectable={selection !== undefined}
    >
      <GridHead columns={columns} template={template} sort={sort} onSort={setSort} />
      <div
        className="grid-scroll"
        ref={scroller}
        tabIndex={0}
        role="rowgroup"
        aria-label={label}
        onKeyDown={onKeyDown}
      >
        {sorted.length === 0 ? <EmptyRow>{empty}</EmptyRow> : null}
        <div className="grid-space" role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = sorted[index];
            const isActive = index === active;
            return row === undefined ? null : (
              <GridRow
                key={idOf(row)}
                {...{ props, row, index, start, template, rowHeight, select, isActive }}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function EmptyRow({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <div role="row">
      <div role="gridcell">{children}</div>
    </div>
  );
}

function GridHead<Row>(props: {
  readonly columns: readonly GridColumn<Row>[];
  readonly template: string;
  readonly sort: { readonly key: string; readonly isDown: boolean } | null;
  readonly onSort: (sort: { key: string; isDown: boolean }) => void;
}): ReactNode {
  const { columns, template, sort, onSort } = props;
  return (
    <div role="rowgroup">
      <div className="grid-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {columns.map(({ key, title, sortBy }) => {
          const isSorted = sort?.key === key;
          return (
            <div
              key={key}
              role="columnheader"
              aria-sort={isSorted ? (sort.isDown ? "descending" : "ascending") : undefined}
            >
              {sortBy === undefined ? (
                title
              ) : (
                <button type="button" onClick={() => onSort({ key, isDown: isSorted && !sort.isDown })}>
                  {title}
                  {isSorted ? (
                    <span className={sort.isDown ? "sort-mark down" : "sort-mark"}>
                      <Icon name="down" />
                    </span>
                  ) : null}
                </button>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function GridRow<Row>(given: {
  readonly props: GridProps<Row>;
  readonly row: Row;
  readonly index: number;
  readonly start: number;
  readonly template: string;
  readonly rowHeight: number;
  readonly isActive: boolean;
  readonly select: (index: number, how: SelectHow) => void;
}): ReactNode {
  const { props, row, index, start, template, rowHeight, isActive, select } = given;
  const { columns, idOf, selection, drop } = props;
  const [isTarget, setTarget] = useState(false);
  const isSelected = selection?.has(idOf(row)) ?? false;
  const payload = props.drag?.(row) ?? null;
  const classes = [
    "grid-row",
    isSelected ? "selected" : "",
    isTarget ? "drop-target" : "",
    isActive ? "active" : "",
  ];
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selection === undefined ? undefined : isSelected}
      data-active={isActive}
      data-row={idOf(row)}
      className={classes.join(" ")}
      style={{ transform: `translateY(${start}px)`, height: rowHeight, gridTemplateColumns: template }}
      draggable={payload !== null}
      onDragStart={(event: DragEvent) => payload !== null && startDrag(event, payload)}
      onDragOver={(event: DragEvent) => drop !== undefined && setTarget(acceptsDrop(event, drop.accepts))}
      onDragLeave={() => setTarget(false)}
      onDrop={(event: DragEvent) => {
        setTarget(false);
        const dropped = drop === undefined ? null : readDrop(event, drop.accepts);
        if (dropped !== null) {
          drop?.onDrop(row, dropped);
        }
      }}
      onClick={(event: MouseEvent) =>
        select(index, event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? "toggle" : "one")
      }
      onDoubleClick={() => props.onOpen?.(row)}
      onContextMenu={(event: MouseEvent) => {
        if (props.onMenu !== undefined) {
          event.preventDefault();
          if (!isSelected) {
            select(index, "one");
          }
          props.onMenu(row, { x: event.clientX, y: event.clientY });
        }
      }}
    >
      {columns.map(({ key, render }) => (
        <div key={key} role="gridcell">
          {render(row)}
        </div>
      ))}
    </div>
  );
}

function moveByKey(
  event: KeyboardEvent,
  at: { readonly active: number; readonly count: number; readonly pageSize: number },
  act: {
    readonly go: (index: number) => void;
    readonly toggle: () => void;
    readonly all: () => void;
    readonly open: () => void;
    readonly menu: () => void;
  },
): void {
  const target = {
    ArrowDown: at.active + 1,
    ArrowUp: at.active - 1,
    PageDown: at.active + at.pageSize,
    PageUp: at.active - at.pageSize,
    Home: 0,
    End: at.count - 1,
  }[event.key];
  const command =
    target !== undefined
      ? () => act.go(Math.max(0, Math.min(at.count - 1, target)))
      : event.key === " "
        ? act.toggle
        : event.key === "Enter"
          ? act.open
          : event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)
            ? act.menu
            : event.key === "a" && (event.ctrlKey || event.metaKey)
              ? act.all
              : null;
  if (command !== null && event.target === event.currentTarget) {
    event.preventDefault();
    command();
  }
}
