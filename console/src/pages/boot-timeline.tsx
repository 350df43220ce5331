import type { ReactNode } from "react";
import type { BootEventResource } from "#api/boot-api.ts";
import { text } from "../text/text.ts";
import { Time } from "../ui/pieces.tsx";

/** What happened at each step of each boot, newest first, with the reason for every silence. */
export function BootTimeline(props: {
  readonly events: readonly BootEventResource[];
  readonly isForAll?: boolean;
}): ReactNode {
  if (props.events.length === 0) {
    return <p className="muted">{text.boot.noEvent}</p>;
  }
  return (
    <ol className="timeline">
      {props.events.map((event, index) => (
        // Equal events at one instant differ by their place only.
        <li
          key={`${event.at}-${event.stage}-${event.mac}-${index}`}
          className={`event event-${event.outcome}`}
        >
          <Time at={event.at} />
          <span className="event-stage">{text.boot.stages[event.stage] ?? event.stage}</span>
          {props.isForAll === true ? <span className="mono muted">{event.mac ?? ""}</span> : null}
          {event.outcome === "done" ? null : (
            <span className={event.outcome === "failed" ? "tone-bad" : "tone-warn"}>
              {text.boot.outcomes[event.outcome] ?? event.outcome}
            </span>
          )}
          {event.reason === null ? null : <span>{text.boot.reasons[event.reason] ?? event.reason}</span>}
          {event.detail === null ? null : <small className="muted clip">{event.detail}</small>}
          {event.trace === null ? null : <small className="muted">{event.trace}</small>}
        </li>
      ))}
    </ol>
  );
}
