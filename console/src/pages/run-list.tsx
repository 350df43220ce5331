import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { JobResource, RunResource } from "#api/job-api.ts";
import { formatDuration, formatRate } from "../text/format.ts";
import { text } from "../text/text.ts";
import { Badge, Progress, type Tone } from "../ui/pieces.tsx";

const shownCountMax = 300;

export function toneOfRun({ state }: RunResource): Tone {
  return state === "done" ? "good" : state === "failed" ? "bad" : state === "cancelled" ? "calm" : "busy";
}

function rateOf({ rateBytesPerSecond, transport, timeLeftMs }: RunResource): string | null {
  if (rateBytesPerSecond === 0) {
    return null;
  }
  const left = timeLeftMs === null ? "" : text.job.left(formatDuration(timeLeftMs));
  return [formatRate(rateBytesPerSecond), transport, left]
    .filter((part) => part !== null && part !== "")
    .join(", ");
}

/** Each computer of a job: how far it is, how fast, and why it waits or failed. Unfinished and failed ones first. */
export function RunList(props: {
  readonly runs: readonly RunResource[];
  /** In place of the computers' names, where they are all of one computer. */
  readonly jobOf?: (run: RunResource) => JobResource | undefined;
  /** What else is known of a run. */
  readonly noteOf?: (run: RunResource) => string | null;
}): ReactNode {
  const { runs, jobOf, noteOf } = props;
  const order = (run: RunResource): number =>
    ({ bad: 0, busy: 1, warn: 1, calm: 2, good: 3 })[toneOfRun(run)];
  const sorted = runs.toSorted((a, b) => order(a) - order(b));
  return (
    <ul className="runs">
      {sorted.slice(0, shownCountMax).map((run) => (
        <RunEntry
          key={`${run.computerId} ${jobOf?.(run)?.id ?? ""}`}
          run={run}
          job={jobOf?.(run)}
          note={noteOf?.(run) ?? null}
        />
      ))}
      {runs.length > shownCountMax ? (
        <li className="muted">{text.work.andMore(runs.length - shownCountMax)}</li>
      ) : null}
    </ul>
  );
}

function RunEntry({
  run,
  job,
  note,
}: {
  readonly run: RunResource;
  readonly job: JobResource | undefined;
  readonly note: string | null;
}): ReactNode {
  const tone = toneOfRun(run);
  const isLong = run.reason !== null && (tone === "bad" || run.reason.length > 24);
  const parts = [`${Math.round(run.percent)} %`, isLong ? null : run.reason, rateOf(run), note];
  return (
    <li>
      {job === undefined ? (
        <Link to="/computers/$id/{-$tab}" params={{ id: run.computerId }} className="clip">
          {run.computerName}
        </Link>
      ) : (
        <Link to="/jobs/$id" params={{ id: job.id }} className="clip">
          {job.name}
        </Link>
      )}
      <Badge tone={tone}>{text.runStates[run.state] ?? run.state}</Badge>
      <Progress percent={run.percent} label={job?.name ?? run.computerName} tone={tone} />
      <small>{parts.filter((part) => part !== null).join(" · ")}</small>
      {isLong ? <small className="reason">{run.reason}</small> : null}
    </li>
  );
}
