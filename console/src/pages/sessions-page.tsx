import type { ReactNode } from "react";
import type { SessionResource } from "#api/session-api.ts";
import { type SessionSample, useSessionHistory } from "../api/session-history.ts";
import { useApi } from "../api/use-api.ts";
import { formatBytes, formatPercent, formatRate } from "../text/format.ts";
import { text } from "../text/text.ts";
import { Badge, Empty, Facts, Failure, Loading, PageHead, Progress } from "../ui/pieces.tsx";
import { Plot } from "../ui/plot.tsx";
import { SessionActions } from "./session-actions.tsx";
import { RunList } from "./run-list.tsx";

/** Imaging sessions: who has joined, how fast, and who could not keep up. */
export function SessionsPage(): ReactNode {
  const sessions = useApi("listSessions");
  if (sessions.data === undefined) {
    return sessions.error === null ? (
      <Loading what={text.sessions.loading} />
    ) : (
      <Failure error={sessions.error} />
    );
  }
  const newestFirst = sessions.data.toSorted(
    (a, b) => Number(a.state === "ended") - Number(b.state === "ended") || b.id - a.id,
  );
  return (
    <main className="page">
      <PageHead title={text.nav.sessions} lead={text.sessions.lead} />
      {newestFirst.length === 0 ? (
        <Empty icon="session" title={text.sessions.none}>
          {text.sessions.noneHint}
        </Empty>
      ) : null}
      {newestFirst.map((session) => (
        <SessionCard key={session.id} session={session} />
      ))}
    </main>
  );
}

function SessionCard({ session }: { readonly session: SessionResource }): ReactNode {
  const samples = useSessionHistory(session.id);
  const jobs = useApi("listJobs");
  const computers = useApi("listComputers");
  const isEnded = session.state === "ended";
  const percent = session.copyBytes === 0 ? 0 : Math.min(100, (100 * session.sentBytes) / session.copyBytes);
  const receivers = isEnded
    ? []
    : (jobs.data ?? [])
        .filter(({ tasks }) =>
          tasks.some((task) => (task as { imageId?: unknown } | null)?.imageId === session.imageId),
        )
        .flatMap(({ runs }) => runs.filter(({ state }) => state === "imaging" || state === "joining"));
  const nameOf = (id: string): string => computers.data?.find((computer) => computer.id === id)?.name ?? id;
  const extraBytes = Math.max(0, session.sentBytes - session.copyBytes);
  return (
    <section className="card session">
      <div className="session-head">
        <h2>{session.imageName}</h2>
        <Badge tone={isEnded ? "calm" : "busy"}>{text.sessions.states[session.state] ?? session.state}</Badge>
        <strong>{text.sessions.joined(session.joined, session.expected)}</strong>
        {isEnded ? null : <SessionActions session={session} />}
      </div>
      {isEnded ? null : <Progress percent={percent} label={session.imageName} />}
      <div className="columns">
        <Facts
          facts={[
            [text.sessions.group, session.group === null ? null : `${session.group}:${session.port ?? ""}`],
            [text.sessions.rate, isEnded ? null : formatRate(samples.at(-1)?.rateBytesPerSecond ?? 0)],
            [text.sessions.meanRate, formatRate(session.rateBytesPerSecond)],
            [text.sessions.sent, formatBytes(session.sentBytes)],
            [text.sessions.copy, formatBytes(session.copyBytes)],
            [text.sessions.overhead, extraBytes === 0 ? null : formatBytes(extraBytes)],
            [text.sessions.worst, worstOf(session, nameOf)],
          ]}
        />
        <SessionPlots samples={samples} />
      </div>
      {receivers.length === 0 ? null : (
        <>
          <h3>{text.sessions.receivers}</h3>
          <RunList runs={receivers} noteOf={({ computerId }) => lossOf(session, computerId)} />
        </>
      )}
      {session.movedToUnicast.length === 0 ? null : (
        <>
          <h3>{text.sessions.moved}</h3>
          <Facts
            facts={session.movedToUnicast.map(
              ({ computerId, reason }) => [nameOf(computerId), reason] as const,
            )}
          />
        </>
      )}
    </section>
  );
}

/** What one computer has lost of the multicast, or `null` while it has reported nothing. */
function lossOf({ receivers }: SessionResource, computerId: string): string | null {
  const receiver = receivers.find((candidate) => candidate.computerId === computerId);
  return receiver === undefined || receiver.expectedCount === 0
    ? null
    : text.sessions.lost(formatPercent((100 * receiver.lostCount) / receiver.expectedCount));
}

/** The receiver that has lost most, if any has lost something. */
function worstOf({ receivers }: SessionResource, nameOf: (id: string) => string): string | null {
  const [worst] = receivers
    .filter(({ lostCount, expectedCount }) => lostCount > 0 && expectedCount > 0)
    .toSorted((a, b) => b.lostCount / b.expectedCount - a.lostCount / a.expectedCount);
  return worst === undefined
    ? null
    : `${nameOf(worst.computerId)}, ${formatPercent((100 * worst.lostCount) / worst.expectedCount)}`;
}

function SessionPlots({ samples }: { readonly samples: readonly SessionSample[] }): ReactNode {
  const shown = samples.slice(1);
  return shown.length < 2 ? null : (
    <div className="plots">
      <Plot
        label={text.sessions.ratePlot}
        points={shown.map(({ atMs, rateBytesPerSecond }) => ({ x: atMs, y: rateBytesPerSecond }))}
        format={formatRate}
      />
      <Plot
        label={text.sessions.lossPlot}
        points={shown.map(({ atMs, lossPercent }) => ({ x: atMs, y: lossPercent }))}
        format={formatPercent}
        tone="bad"
      />
    </div>
  );
}
