import { useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useAction, useApi } from "../api/use-api.ts";
import { formatTime } from "../text/format.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Badge, Failure, Loading, PageHead, Progress, Time } from "../ui/pieces.tsx";
import { useObstacle } from "./me.tsx";
import { RunList } from "./run-list.tsx";
import { jobTones, percentOf } from "./work/job-progress.ts";

type TaskLike = { readonly kind?: unknown; readonly imageName?: unknown; readonly script?: unknown };

function describeTask(task: unknown): string {
  const { kind, imageName } = (task ?? {}) as TaskLike;
  const name = text.job.taskNames[String(kind)] ?? String(kind);
  return typeof imageName === "string" ? `${name}: ${imageName}` : name;
}

/** One job: its tasks, and each computer with how far it is. */
export function JobPage(): ReactNode {
  const { id } = useParams({ from: "/shell/jobs/$id" });
  const found = useApi("showJob", { id });
  const [isCancelling, setCancelling] = useState(false);
  const obstacle = useObstacle("operator");
  if (found.data === undefined) {
    return found.error === null ? <Loading what={text.job.loading} /> : <Failure error={found.error} />;
  }
  const job = found.data;
  return (
    <main className="page">
      <PageHead
        title={job.name}
        lead={
          <>
            <code>{job.id}</code> · {text.job.created} <Time at={job.createdAt} />
            {job.nextAt === null ? "" : ` · ${text.times.next(formatTime(job.nextAt))}`}
            {job.occurrence > 1 ? ` · ${text.times.occurrences} ${job.occurrence}` : ""}
            {job.concurrency === null ? "" : ` · ${text.times.concurrency} ${job.concurrency}`}
          </>
        }
      >
        <Badge tone={jobTones[job.state]}>{text.jobStates[job.state]}</Badge>
        {job.state === "running" || job.state === "scheduled" ? (
          <button
            type="button"
            className="button danger"
            disabled={obstacle !== null}
            title={obstacle ?? undefined}
            onClick={() => setCancelling(true)}
          >
            {text.job.cancel}
          </button>
        ) : null}
      </PageHead>
      <Progress percent={percentOf(job)} label={job.name} tone={jobTones[job.state]} />
      <div className="columns">
        <section className="card">
          <h2>{text.job.computers}</h2>
          <RunList runs={job.runs} />
        </section>
        <section className="card">
          <h2>{text.job.tasks}</h2>
          <ol className="tasks">
            {job.tasks.map((task, index) => (
              // A job's tasks never change: their place is their name.
              <li key={`${index}-${describeTask(task)}`}>
                {describeTask(task)}
                <TaskScript task={task} />
              </li>
            ))}
          </ol>
        </section>
      </div>
      {isCancelling ? <CancelDialog id={job.id} onClose={() => setCancelling(false)} /> : null}
    </main>
  );
}

function TaskScript({ task }: { readonly task: unknown }): ReactNode {
  const { script } = (task ?? {}) as TaskLike;
  return typeof script === "string" ? <pre className="code">{script.slice(0, 4000)}</pre> : null;
}

function CancelDialog({ id, onClose }: { readonly id: string; readonly onClose: () => void }): ReactNode {
  const cancel = useAction("cancelJob", { done: () => text.job.cancelled });
  return (
    <Dialog
      title={text.job.cancel}
      onClose={onClose}
      action={{
        label: text.job.cancel,
        run: () => cancel.mutate({ id }, { onSettled: onClose }),
        isOff: cancel.isPending,
        isDangerous: true,
      }}
    >
      <p>{text.job.cancelWarning}</p>
    </Dialog>
  );
}
