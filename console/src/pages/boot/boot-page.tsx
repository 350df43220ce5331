import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ServerResource } from "#api/server-api.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Badge, Failure, Loading, PageHead, Tabs, type Tone } from "../../ui/pieces.tsx";
import { BootTimeline } from "../boot-timeline.tsx";
import { BootFilesTab } from "./boot-files-tab.tsx";
import { InitialDeploymentTab } from "./initial-deployment-tab.tsx";

const tones: Readonly<Record<string, Tone>> = { running: "good", off: "calm", failed: "bad" };

const tabKeys = ["services", "initial", "files"] as const;

/** Network boot: what answers and what happened, what new computers get, and what they are given to boot. */
export function BootPage(): ReactNode {
  const { tab = "services" } = useParams({ from: "/shell/boot/{-$tab}" });
  const tabs = tabKeys.map((key) => ({
    key,
    title: text.boot.tabs[key],
    to: key === "services" ? "/boot" : `/boot/${key}`,
  }));
  return (
    <main className="page">
      <PageHead title={text.nav.boot} lead={text.boot.lead} />
      <Tabs tabs={tabs} label={text.nav.boot} />
      {tab === "initial" ? <InitialDeploymentTab /> : tab === "files" ? <BootFilesTab /> : <Services />}
    </main>
  );
}

function Services(): ReactNode {
  const server = useApi("showServer");
  const events = useApi("listBootEvents");
  if (server.data === undefined) {
    return server.error === null ? <Loading what={text.boot.loading} /> : <Failure error={server.error} />;
  }
  const { services, limits, counters, bootAnswers } = server.data;
  return (
    <div className="columns">
      <section className="card">
        <h2>{text.boot.services}</h2>
        <table className="table">
          <tbody>
            {services.map(({ name, state, reason }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <Badge tone={tones[state] ?? "warn"}>{state}</Badge>
                </td>
                <td>{reason ?? ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {limits.length === 0 ? null : (
          <details>
            <summary>{text.boot.limits}</summary>
            <ul>
              {limits.map((limit) => (
                <li key={limit}>{limit}</li>
              ))}
            </ul>
          </details>
        )}
        <details>
          <summary>{text.boot.counters}</summary>
          <table className="table">
            <tbody>
              {Object.entries(counters).map(([name, count]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td className="number">{count.toLocaleString("en")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
        <BootAnswers answers={bootAnswers} />
      </section>
      <section className="card">
        <h2>{text.boot.events}</h2>
        <BootTimeline events={events.data ?? []} isForAll />
      </section>
    </div>
  );
}

/** Columns that nothing fell into say nothing. */
function BootAnswers(props: { readonly answers: ServerResource["bootAnswers"] }): ReactNode {
  const { count, columns } = props.answers;
  return count === 0 ? null : (
    <details>
      <summary>{text.boot.answers}</summary>
      <table className="table">
        <tbody>
          {columns
            .filter((column) => column.count > 0)
            .map((column) => (
              <tr key={column.boundMs}>
                <th scope="row">{text.boot.atMost(column.boundMs)}</th>
                <td className="number">{column.count.toLocaleString("en")}</td>
                <td className="number">{`${Math.round((100 * column.count) / count)} %`}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </details>
  );
}
