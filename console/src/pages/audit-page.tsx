import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue, useState } from "react";
import type { AuditResource } from "#api/account-api.ts";
import { call } from "../api/client.ts";
import { text } from "../text/text.ts";
import { DataGrid, type GridColumn } from "../ui/data-grid.tsx";
import { Badge, Empty, Failure, Loading, PageHead, Time } from "../ui/pieces.tsx";

const pageCount = 200;

/** `createJob` and `foreign-origin` in words; the name that the API filters by is shown under the pointer. */
function wordsOf(action: string): string {
  return action
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("-", " ")
    .toLowerCase();
}

/** A request's fields as they are read; a sentence as it stands. */
function detailOf(detail: string | null): string {
  try {
    const fields: unknown = JSON.parse(detail ?? "");
    return typeof fields === "object" && fields !== null && !Array.isArray(fields)
      ? Object.entries(fields)
          .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
          .join(" · ")
      : (detail ?? "");
  } catch {
    return detail ?? "";
  }
}

const columns: readonly GridColumn<AuditResource>[] = [
  { key: "when", title: text.audit.when, width: "90px", render: ({ at }) => <Time at={at} /> },
  {
    key: "who",
    title: text.audit.who,
    width: "minmax(110px, 0.6fr)",
    render: ({ actor }) => <span className="clip">{actor}</span>,
  },
  {
    key: "from",
    title: text.audit.from,
    width: "110px",
    render: ({ address }) => <span className="mono clip">{address}</span>,
  },
  {
    key: "what",
    title: text.audit.what,
    width: "minmax(180px, 0.9fr)",
    render: ({ action }) => (
      <span className="clip" title={action}>
        {wordsOf(action)}
      </span>
    ),
  },
  {
    key: "on",
    title: text.audit.on,
    width: "minmax(70px, 0.4fr)",
    render: ({ target }) => <span className="clip">{target ?? ""}</span>,
  },
  {
    key: "outcome",
    title: text.audit.outcome,
    width: "90px",
    render: ({ outcome }) => (
      <Badge tone={outcome === "done" ? "good" : outcome === "refused" ? "warn" : "bad"}>
        {text.audit.outcomes[outcome]}
      </Badge>
    ),
  },
  {
    key: "detail",
    title: text.audit.detail,
    width: "minmax(160px, 2fr)",
    render: ({ detail }) => (
      <span className="clip muted" title={detail ?? ""}>
        {detailOf(detail)}
      </span>
    ),
  },
];

/** Who did what, when and from where. */
export function AuditPage(): ReactNode {
  const [wanted, setWanted] = useState("");
  const actor = useDeferredValue(wanted.trim());
  const entries = useInfiniteQuery({
    queryKey: ["listAudit", actor],
    queryFn: ({ pageParam }) =>
      call("listAudit", {
        query: {
          limit: pageCount,
          ...(actor === "" ? {} : { actor }),
          ...(pageParam === 0 ? {} : { before: pageParam }),
        },
      }),
    initialPageParam: 0,
    staleTime: 0,
    getNextPageParam: (page) => (page.length < pageCount ? undefined : page.at(-1)?.id),
  });
  if (entries.data === undefined) {
    return entries.error === null ? <Loading what={text.audit.loading} /> : <Failure error={entries.error} />;
  }
  return (
    <main className="page page-full">
      <PageHead title={text.nav.audit} lead={text.audit.lead}>
        <input
          type="search"
          aria-label={text.audit.filter}
          placeholder={text.audit.filter}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        {entries.hasNextPage ? (
          <button type="button" className="button" onClick={() => void entries.fetchNextPage()}>
            {text.audit.older}
          </button>
        ) : null}
      </PageHead>
      <DataGrid
        label={text.nav.audit}
        rows={entries.data.pages.flat()}
        columns={columns}
        idOf={({ id }) => String(id)}
        empty={<Empty icon="audit" title={text.audit.none} />}
      />
    </main>
  );
}
