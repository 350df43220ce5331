import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { RunResource } from "#api/job-api.ts";
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
export function RunList({ runs }: { readonly runs: readonly RunResource[] }): ReactNode {
  const order = (run: RunResource): number =>
    ({ bad: 0, busy: 1, warn: 1, calm: 2, good: 3 })[toneOfRun(run)];
  const sorted = runs.toSorted((a, b) => order(a) - order(b));
  return (
    <ul className="runs">
      {sorted.slice(0, shownCountMax).map((run) => (
        <li key={run.computerId}>
          <Link to="/computers/$id/{-$tab}" params={{ id: run.computerId }} className="clip">
            {run.computerName}
          </Link>
          <Badge tone={toneOfRun(run)}>{text.runStates[run.state] ?? run.state}</Badge>
          <Progress percent={run.percent} label={run.computerName} tone={toneOfRun(run)} />
          <small>
            {Math.round(run.percent)} %{rateOf(run) === null ? "" : ` · ${rateOf(run)}`}
          </small>
          {run.reason === null ? null : <small className="reason">{run.reason}</small>}
        </li>
      ))}
      {runs.length > shownCountMax ? (
        <li className="muted">{text.work.andMore(runs.length - shownCountMax)}</li>
      ) : null}
    </ul>
  );
}
