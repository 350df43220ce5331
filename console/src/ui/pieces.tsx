import { type ReactNode, useEffect, useState } from "react";
import { Link } from "@tanstack/react-router";
import { formatAge, formatTime } from "../text/format.ts";
import { text } from "../text/text.ts";
import { Icon, type IconName } from "./icon.tsx";
import { showToast } from "./toast.tsx";

export type Tone = "good" | "bad" | "warn" | "busy" | "calm";

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }): ReactNode {
  return <span className={`badge badge-${tone}`}>{children}</span>;
}

/** How far something is. A failed one keeps the place where it stopped. */
export function Progress(props: {
  readonly percent: number;
  readonly label: string;
  readonly tone?: Tone;
}): ReactNode {
  const { percent, label, tone = "busy" } = props;
  return (
    <div
      className={`progress progress-${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
    >
      <div style={{ width: `${Math.min(100, percent)}%` }} />
    </div>
  );
}

/** How long ago, with the exact time on hover and for screen readers. */
export function Time({
  at,
  empty = text.common.never,
}: {
  readonly at: number | null;
  readonly empty?: string;
}): ReactNode {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), 10_000);
    return () => window.clearInterval(timer);
  }, []);
  if (at === null) {
    return <span className="muted">{empty}</span>;
  }
  return (
    <time dateTime={new Date(at).toISOString()} title={formatTime(at)}>
      {formatAge(at, Math.max(nowMs, at))}
    </time>
  );
}

/** Nothing here yet, and what to do about it. */
export function Empty(props: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <div className="empty">
      <Icon name={props.icon} />
      <strong>{props.title}</strong>
      {props.children === undefined ? null : <div>{props.children}</div>}
    </div>
  );
}

export function Loading({ what }: { readonly what: string }): ReactNode {
  return (
    <p className="loading" role="status">
      {what}
    </p>
  );
}

export function Failure({ error }: { readonly error: Error }): ReactNode {
  return (
    <p className="failure" role="alert">
      <Icon name="conflict" /> {error.message}
    </p>
  );
}

/** Names and values, one under the other. Values that are `null` are left out. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, ReactNode])[] }): ReactNode {
  return (
    <dl className="facts">
      {facts
        .filter(([, value]) => value !== null && value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Text to take away: shown as it is, copied by a button. */
export function CopyText({ value, label }: { readonly value: string; readonly label: string }): ReactNode {
  return (
    <button
      type="button"
      className="button small"
      onClick={() => {
        navigator.clipboard.writeText(value).then(
          () => showToast({ kind: "done", text: text.common.copied }),
          () => showToast({ kind: "failed", text: text.common.copyFailed }),
        );
      }}
    >
      <Icon name="copy" /> {label}
    </button>
  );
}

/** What is to be run on the server. */
export function Command({ value }: { readonly value: string }): ReactNode {
  return (
    <span className="command">
      <code>{value}</code>
      <CopyText value={value} label={text.common.copy} />
    </span>
  );
}

export function PageHead(props: {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <header className="page-head">
      <div>
        <h1>{props.title}</h1>
        {props.lead === undefined ? null : <p>{props.lead}</p>}
      </div>
      <div className="page-actions">{props.children}</div>
    </header>
  );
}

export type Tab = { readonly key: string; readonly title: string; readonly to: string };

export function Tabs({ tabs, label }: { readonly tabs: readonly Tab[]; readonly label: string }): ReactNode {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ key, title, to }) => (
        <Link key={key} to={to} activeProps={{ "aria-current": "page" }} activeOptions={{ exact: true }}>
          {title}
        </Link>
      ))}
    </nav>
  );
}
