import { type ReactNode, useMemo, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import type { JobResource } from "#api/job-api.ts";
import { useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import type { DragPayload } from "../ui/drag.ts";
import { Failure, Loading } from "../ui/pieces.tsx";
import { ComputersPane } from "./work/computers-pane.tsx";
import { currentRuns } from "./work/computer-status.ts";
import { DetailsPane } from "./work/details-pane.tsx";
import { JobsPane } from "./work/jobs-pane.tsx";
import { OrderDialog } from "./work/order-dialog.tsx";
import { assignOrder, listTemplates, type WorkOrder } from "./work/work-order.ts";

const noComputers: readonly ComputerResource[] = [];
const noJobs: readonly JobResource[] = [];

/** Three panes: computers, jobs, details. Dragging one onto the other orders work; so do menus and keys. */
export function WorkPage(): ReactNode {
  const computers = useApi("listComputers");
  const jobs = useApi("listJobs");
  const images = useApi("listImages");
  const installers = useApi("listInstallers");
  const [selection, setSelection] = useState<ReadonlySet<string>>(new Set());
  const [jobId, setJobId] = useState<string | null>(null);
  const [ordered, setOrdered] = useState<{ order: WorkOrder; ids: readonly string[] } | null>(null);
  const all = computers.data ?? noComputers;
  const allJobs = jobs.data ?? noJobs;
  const runs = useMemo(() => currentRuns(allJobs), [allJobs]);
  const templates = useMemo(
    () => listTemplates(images.data ?? [], installers.data ?? []),
    [images.data, installers.data],
  );
  const order = (next: WorkOrder, ids: readonly string[]): void => setOrdered({ order: next, ids });
  const toOrder = (payload: DragPayload): WorkOrder | null => {
    if (payload.kind === "work") {
      return templates.find(({ id }) => id === payload.id)?.order ?? null;
    }
    const job = payload.kind === "job" ? allJobs.find(({ id }) => id === payload.id) : undefined;
    return job === undefined ? null : assignOrder(job);
  };
  const onDropOnComputers = (payload: DragPayload, ids: readonly string[]): void => {
    const next = toOrder(payload);
    if (next !== null && ids.length > 0) {
      order(next, ids);
    }
  };
  if (computers.data === undefined) {
    return computers.error === null ? (
      <Loading what={text.work.loading} />
    ) : (
      <Failure error={computers.error} />
    );
  }
  return (
    <main className="work" aria-label={text.nav.computers}>
      <ComputersPane
        {...{ computers: all, runs, selection, templates }}
        onSelect={(ids) => {
          setSelection(ids);
          setJobId(null);
        }}
        onDrop={onDropOnComputers}
        onOrder={order}
      />
      <JobsPane
        {...{ jobs: allJobs, templates, jobId }}
        selectedCount={selection.size}
        onSelect={setJobId}
        onOrder={(next, ids) => order(next, ids ?? [...selection])}
      />
      <DetailsPane
        computers={all.filter(({ id }) => selection.has(id))}
        job={allJobs.find(({ id }) => id === jobId) ?? null}
        {...{ runs, templates }}
        onOrder={order}
      />
      {ordered === null ? null : (
        <OrderDialog
          order={ordered.order}
          computers={all.filter(({ id }) => ordered.ids.includes(id))}
          onClose={() => setOrdered((shown) => (shown === ordered ? null : shown))}
          onOrdered={(job) => setJobId(job.id)}
        />
      )}
    </main>
  );
}
