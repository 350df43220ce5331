import { type DragEvent, type ReactNode, useState } from "react";
import { Link } from "@tanstack/react-router";
import type { JobResource } from "#api/job-api.ts";
import { formatTime } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { acceptsDrop, type DragPayload, readDrop, startDrag } from "../../ui/drag.ts";
import { Icon, type IconName } from "../../ui/icon.tsx";
import { Badge, Empty, Progress, Time } from "../../ui/pieces.tsx";
import { useObstacle } from "../me.tsx";
import { jobTones, percentOf } from "./job-progress.ts";
import { assignOrder, titleOf, type WorkOrder, type WorkTemplate } from "./work-order.ts";

type JobsPaneProps = {
  readonly jobs: readonly JobResource[];
  readonly templates: readonly WorkTemplate[];
  readonly jobId: string | null;
  readonly selectedCount: number;
  readonly onSelect: (id: string) => void;
  /** Without ids: for the selected computers. */
  readonly onOrder: (order: WorkOrder, ids?: readonly string[]) => void;
};

const shownCountMax = 200;
/** Middle pane: work to give, and jobs given. Both can be dragged onto computers, and computers onto both. */
export function JobsPane(props: JobsPaneProps): ReactNode {
  const { jobs, templates, jobId, selectedCount, onSelect, onOrder } = props;
  const newestFirst = jobs.toSorted((a, b) => b.createdAt - a.createdAt);
  return (
    <section className="pane" aria-label={text.work.jobs}>
      <div className="pane-head pane-head-tall">
        <h2>{text.work.newWork}</h2>
        <span className="muted count">{text.work.dragHint(selectedCount)}</span>
      </div>
      <ul className="templates">
        {templates.map(({ id, icon, order }) => (
          <Droppable
            key={id}
            icon={icon}
            title={titleOf(order)}
            payload={{ kind: "work", id, name: titleOf(order) }}
            onDrop={(ids) => onOrder(order, ids)}
            onClick={selectedCount > 0 ? () => onOrder(order) : null}
          />
        ))}
      </ul>
      <div className="pane-head">
        <h2>{text.work.jobs}</h2>
        <span className="muted count">{text.work.jobCount(jobs.length)}</span>
      </div>
      <ul className="jobs">
        {jobs.length === 0 ? (
          <li>
            <Empty icon="job" title={text.work.noJob}>
              {text.work.noJobHint}
            </Empty>
          </li>
        ) : null}
        {newestFirst.slice(0, shownCountMax).map((job) => (
          <JobEntry key={job.id} job={job} isCurrent={job.id === jobId} {...{ onSelect, onOrder }} />
        ))}
        {jobs.length > shownCountMax ? (
          <li className="muted">{text.work.olderJobs(jobs.length - shownCountMax)}</li>
        ) : null}
      </ul>
    </section>
  );
}

function useDropTarget(onDrop: (ids: readonly string[]) => void) {
  const [isTarget, setTarget] = useState(false);
  const obstacle = useObstacle("operator");
  return {
    isTarget,
    canDrag: obstacle === null,
    obstacle,
    handlers: {
      onDragOver: (event: DragEvent) => obstacle === null && setTarget(acceptsDrop(event, ["computers"])),
      onDragLeave: () => setTarget(false),
      onDrop: (event: DragEvent) => {
        setTarget(false);
        const payload = readDrop(event, ["computers"]);
        if (payload?.kind === "computers") {
          onDrop(payload.ids);
        }
      },
    },
  };
}

function Droppable(props: {
  readonly icon: IconName;
  readonly title: string;
  readonly payload: DragPayload;
  readonly onDrop: (ids: readonly string[]) => void;
  readonly onClick: (() => void) | null;
}): ReactNode {
  const { isTarget, canDrag, obstacle, handlers } = useDropTarget(props.onDrop);
  return (
    <li className={isTarget ? "drop-target" : ""}>
      <button
        type="button"
        draggable={canDrag}
        disabled={!canDrag}
        title={obstacle ?? (props.onClick === null ? text.work.selectFirst : props.title)}
        aria-label={props.title}
        onDragStart={(event) => startDrag(event, props.payload)}
        onClick={() => props.onClick?.()}
        {...handlers}
      >
        <Icon name={props.icon} />
        <span className="clip">{props.title}</span>
      </button>
    </li>
  );
}

function JobEntry(props: {
  readonly job: JobResource;
  readonly isCurrent: boolean;
  readonly onSelect: (id: string) => void;
  readonly onOrder: (order: WorkOrder, ids: readonly string[]) => void;
}): ReactNode {
  const { job, isCurrent, onSelect, onOrder } = props;
  const { isTarget, canDrag, handlers } = useDropTarget((ids) => onOrder(assignOrder(job), ids));
  const doneCount = job.runs.filter(({ state }) => state === "done").length;
  return (
    <li
      className={`job ${isCurrent ? "selected" : ""} ${isTarget ? "drop-target" : ""}`}
      draggable={canDrag}
      onDragStart={(event) => startDrag(event, { kind: "job", id: job.id, name: job.name })}
      {...handlers}
    >
      <button type="button" aria-pressed={isCurrent} onClick={() => onSelect(job.id)}>
        <span className="job-name">{job.name}</span>
        <Badge tone={jobTones[job.state]}>{text.jobStates[job.state]}</Badge>
        <Progress percent={percentOf(job)} label={job.name} tone={jobTones[job.state]} />
        <small className="muted">
          {job.runs.length === 0 ? "" : `${text.work.doneOf(doneCount, job.runs.length)} · `}
          {job.state === "scheduled" && job.nextAt !== null ? (
            text.times.next(formatTime(job.nextAt))
          ) : (
            <Time at={job.createdAt} />
          )}
        </small>
      </button>
      <Link
        to="/jobs/$id"
        params={{ id: job.id }}
        className="icon-button"
        aria-label={text.work.openJob(job.name)}
      >
        <Icon name="right" />
      </Link>
    </li>
  );
}
