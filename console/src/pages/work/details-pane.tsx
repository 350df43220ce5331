import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import type { JobResource } from "#api/job-api.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Badge, Empty, Facts, Progress, Time } from "../../ui/pieces.tsx";
import { BootTimeline } from "../boot-timeline.tsx";
import { useObstacle } from "../me.tsx";
import { RunList } from "../run-list.tsx";
import { useEach } from "./computer-menu.tsx";
import { type CurrentRun, statusOf } from "./computer-status.ts";
import { jobTones, percentOf } from "./job-progress.ts";
import { titleOf, type WorkOrder, type WorkTemplate } from "./work-order.ts";

type DetailsProps = {
  readonly computers: readonly ComputerResource[];
  readonly job: JobResource | null;
  readonly runs: ReadonlyMap<string, CurrentRun>;
  readonly templates: readonly WorkTemplate[];
  readonly onOrder: (order: WorkOrder, ids: readonly string[]) => void;
};

/** Right pane: what is selected, and what can be done with it. */
export function DetailsPane(props: DetailsProps): ReactNode {
  const { computers, job } = props;
  const [one, ...others] = computers;
  return (
    <section className="pane pane-details" aria-label={text.work.details}>
      {job !== null ? (
        <JobDetails job={job} />
      ) : one === undefined ? (
        <Empty icon="computer" title={text.work.nothingSelected}>
          {text.work.nothingSelectedHint}
        </Empty>
      ) : others.length === 0 ? (
        <ComputerDetails computer={one} {...props} />
      ) : (
        <ManyDetails {...props} />
      )}
    </section>
  );
}

function Actions({ computers, templates, onOrder }: DetailsProps): ReactNode {
  const each = useEach();
  const obstacle = useObstacle("operator");
  const pending = computers.filter(({ state }) => state !== "approved");
  const ids = computers.map(({ id }) => id);
  return (
    <div className="actions">
      {pending.length === 0 ? null : (
        <button
          type="button"
          className="button primary"
          disabled={obstacle !== null || each.isPending}
          title={obstacle ?? undefined}
          onClick={() => each.mutate({ name: "approveComputer", computers: pending })}
        >
          {text.work.approve(pending.length)}
        </button>
      )}
      <button
        type="button"
        className="button"
        disabled={obstacle !== null}
        title={obstacle ?? undefined}
        onClick={() => each.mutate({ name: "wakeComputer", computers })}
      >
        {text.work.wake}
      </button>
      <select
        aria-label={text.work.giveWork}
        value=""
        disabled={obstacle !== null || pending.length === computers.length}
        onChange={(event) => {
          const chosen = templates.find(({ id }) => id === event.target.value);
          if (chosen !== undefined) {
            onOrder(chosen.order, ids);
          }
        }}
      >
        <option value="">{text.work.giveWork}</option>
        {templates.map(({ id, order }) => (
          <option key={id} value={id}>
            {titleOf(order)}
          </option>
        ))}
      </select>
    </div>
  );
}

function ComputerDetails(props: DetailsProps & { readonly computer: ComputerResource }): ReactNode {
  const { computer, runs } = props;
  const events = useApi("listComputerEvents", { id: computer.id });
  const groups = useApi("listGroups");
  const current = runs.get(computer.id);
  const { label, tone } = statusOf(computer, current);
  return (
    <>
      <div className="details-head">
        <h2 className="clip">{computer.name}</h2>
        <Badge tone={tone}>{label}</Badge>
        <Link to="/computers/$id/{-$tab}" params={{ id: computer.id }} className="button small">
          {text.work.open}
        </Link>
      </div>
      {computer.reason === null ? null : <p className="note">{computer.reason}</p>}
      <Actions {...props} />
      {current === undefined ? null : (
        <div className="current-run">
          <RunList runs={[current.run]} jobOf={() => current.job} />
        </div>
      )}
      <Facts
        facts={[
          [text.groups.group, groups.data?.find(({ id }) => id === computer.groupId)?.path ?? null],
          [text.computer.address, computer.address],
          [text.computer.macs, computer.macs.join(", ")],
          [text.computer.product, computer.product],
          [text.computer.serial, computer.serial],
          [text.computer.firmware, computer.firmware],
          [text.computer.lastSeen, <Time key="seen" at={computer.lastSeenAt} />],
        ]}
      />
      <h3>{text.computer.lastBoots}</h3>
      <BootTimeline events={(events.data ?? []).slice(0, 30)} />
    </>
  );
}

function ManyDetails(props: DetailsProps): ReactNode {
  const { computers, runs } = props;
  const counts = new Map<string, number>();
  for (const computer of computers) {
    const { label } = statusOf(computer, runs.get(computer.id));
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return (
    <>
      <div className="details-head">
        <h2>{text.work.selected(computers.length)}</h2>
      </div>
      <Actions {...props} />
      <Facts facts={[...counts].map(([label, count]) => [label, String(count)] as const)} />
    </>
  );
}

function JobDetails({ job }: { readonly job: JobResource }): ReactNode {
  return (
    <>
      <div className="details-head">
        <h2>{job.name}</h2>
        <Badge tone={jobTones[job.state]}>{text.jobStates[job.state]}</Badge>
        <Link to="/jobs/$id" params={{ id: job.id }} className="button small">
          {text.work.open}
        </Link>
      </div>
      <Progress percent={percentOf(job)} label={job.name} tone={jobTones[job.state]} />
      <RunList runs={job.runs} />
    </>
  );
}
