import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import { useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Badge, Empty, Facts, Failure, Loading, PageHead, Progress, Tabs, Time } from "../ui/pieces.tsx";
import { BootTimeline } from "./boot-timeline.tsx";
import { AgentTab } from "./computer/agent-tab.tsx";
import { FilesTab } from "./computer/files-tab.tsx";
import { HistoryTab } from "./computer/history-tab.tsx";
import { InventoryTab } from "./computer/inventory-tab.tsx";
import { SoftwareTab } from "./computer/software-tab.tsx";
import { useObstacle } from "./me.tsx";
import { RunList } from "./run-list.tsx";
import { useEach } from "./work/computer-menu.tsx";
import { currentRuns, hasEnded, statusOf } from "./work/computer-status.ts";

const tabKeys = [
  "overview",
  "events",
  "jobs",
  "inventory",
  "software",
  "history",
  "files",
  "settings",
] as const;

/** One computer: what it is, what it does, what happened to it. */
export function ComputerPage(): ReactNode {
  const { id, tab = "overview" } = useParams({ from: "/shell/computers/$id/{-$tab}" });
  const found = useApi("showComputer", { id });
  const jobs = useApi("listJobs");
  if (found.data === undefined) {
    return found.error === null ? <Loading what={text.computer.loading} /> : <Failure error={found.error} />;
  }
  const computer = found.data;
  const current = currentRuns(jobs.data ?? []).get(computer.id);
  const { label, tone } = statusOf(computer, current);
  const tabs = tabKeys.map((key) => ({
    key,
    title: text.computer.tabs[key],
    to: key === "overview" ? `/computers/${computer.id}` : `/computers/${computer.id}/${key}`,
  }));
  return (
    <main className="page">
      <PageHead title={computer.name} lead={computer.reason ?? undefined}>
        <Badge tone={tone}>{label}</Badge>
        <ComputerActions computer={computer} />
      </PageHead>
      {current === undefined || hasEnded(current.run) ? null : (
        <Progress percent={current.run.percent} label={current.job.name} />
      )}
      <Tabs tabs={tabs} label={computer.name} />
      {tab === "overview" ? <Overview computer={computer} /> : null}
      {tab === "events" ? <Events id={computer.id} /> : null}
      {tab === "jobs" ? <Jobs id={computer.id} /> : null}
      {tab === "inventory" ? <InventoryTab computer={computer} /> : null}
      {tab === "software" ? <SoftwareTab id={computer.id} /> : null}
      {tab === "history" ? <HistoryTab id={computer.id} /> : null}
      {tab === "files" ? <FilesTab computer={computer} /> : null}
      {tab === "settings" ? <AgentTab computer={computer} /> : null}
    </main>
  );
}

function ComputerActions({ computer }: { readonly computer: ComputerResource }): ReactNode {
  const each = useEach();
  const obstacle = useObstacle("operator");
  const act = (name: "approveComputer" | "wakeComputer") => () =>
    each.mutate({ name, computers: [computer] });
  return (
    <>
      {computer.state === "approved" ? null : (
        <button
          type="button"
          className="button primary"
          disabled={obstacle !== null}
          title={obstacle ?? undefined}
          onClick={act("approveComputer")}
        >
          {text.computer.approve}
        </button>
      )}
      <button
        type="button"
        className="button"
        disabled={obstacle !== null}
        title={obstacle ?? undefined}
        onClick={act("wakeComputer")}
      >
        {text.computer.wake}
      </button>
      {computer.environment === null ? null : <RemoteLink computer={computer} show="terminal" />}
      {computer.environment === "os" ? <RemoteLink computer={computer} show="desktop" /> : null}
    </>
  );
}

/** Opens the computer's terminal or desktop in a window of its own. */
function RemoteLink(props: {
  readonly computer: ComputerResource;
  readonly show: "terminal" | "desktop";
}): ReactNode {
  const { computer, show } = props;
  const obstacle = useObstacle("operator");
  return obstacle === null ? (
    <a
      className="button"
      href={`/remote.html?${new URLSearchParams({ show, computer: computer.id })}`}
      target="_blank"
      rel="noopener"
      title={show === "terminal" ? text.computer.terminalHint : text.computer.desktopHint}
    >
      {text.computer[show]}
    </a>
  ) : (
    <button type="button" className="button" disabled title={obstacle}>
      {text.computer[show]}
    </button>
  );
}

function Overview({ computer }: { readonly computer: ComputerResource }): ReactNode {
  const jobs = useApi("listJobs");
  const events = useApi("listComputerEvents", { id: computer.id });
  const runs = (jobs.data ?? []).flatMap((job) =>
    job.runs.filter(({ computerId }) => computerId === computer.id),
  );
  return (
    <div className="columns">
      <section className="card">
        <h2>{text.computer.identity}</h2>
        <Facts
          facts={[
            ["ID", <code key="id">{computer.id}</code>],
            [text.computer.macs, computer.macs.join(", ")],
            [text.computer.uuid, computer.uuid],
            [text.computer.serial, computer.serial],
            [text.computer.product, computer.product],
            [text.computer.firmware, computer.firmware],
            [text.computer.address, computer.address],
            [text.computer.agent, text.computer.environments[computer.environment ?? "none"]],
            [text.computer.lastSeen, <Time key="seen" at={computer.lastSeenAt} />],
          ]}
        />
      </section>
      <div className="stack">
        <section className="card">
          <h2>{text.computer.tabs.jobs}</h2>
          {runs.length === 0 ? (
            <p className="muted">{text.computer.noJobs}</p>
          ) : (
            <RunList
              runs={runs.slice(0, 10)}
              jobOf={(run) => jobs.data?.find((job) => job.runs.includes(run))}
            />
          )}
        </section>
        <section className="card">
          <h2>{text.computer.lastBoots}</h2>
          <BootTimeline events={(events.data ?? []).slice(0, 20)} />
        </section>
      </div>
    </div>
  );
}

function Events({ id }: { readonly id: string }): ReactNode {
  const events = useApi("listComputerEvents", { id });
  return (
    <section className="card">
      <BootTimeline events={events.data ?? []} />
    </section>
  );
}

function Jobs({ id }: { readonly id: string }): ReactNode {
  const jobs = useApi("listJobs");
  const mine = (jobs.data ?? [])
    .map((job) => ({ job, runs: job.runs.filter(({ computerId }) => computerId === id) }))
    .filter(({ runs }) => runs.length > 0);
  return (
    <section className="card">
      {mine.length === 0 ? <Empty icon="job" title={text.computer.noJobs} /> : null}
      {mine.map(({ job, runs }) => (
        <div key={job.id}>
          <h3>
            <Link to="/jobs/$id" params={{ id: job.id }}>
              {job.name}
            </Link>{" "}
            <Time at={job.createdAt} />
          </h3>
          <RunList runs={runs} />
        </div>
      ))}
    </section>
  );
}
