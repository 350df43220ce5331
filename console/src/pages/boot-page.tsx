import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useApi } from "../api/use-api.ts";
import { formatBytes } from "../text/format.ts";
import { text } from "../text/text.ts";
import { Badge, Empty, Failure, Loading, PageHead, type Tone } from "../ui/pieces.tsx";
import { BootTimeline } from "./boot-timeline.tsx";
import { InitialDeployment } from "./initial-deployment.tsx";

const tones: Readonly<Record<string, Tone>> = { running: "good", off: "calm", failed: "bad" };

/** Boot services, boot files, and what happened at every boot. */
export function BootPage(): ReactNode {
  const server = useApi("showServer");
  const files = useApi("listBootFiles");
  const events = useApi("listBootEvents");
  if (server.data === undefined) {
    return server.error === null ? <Loading what={text.boot.loading} /> : <Failure error={server.error} />;
  }
  return (
    <main className="page">
      <PageHead title={text.nav.boot} lead={text.boot.lead} />
      <div className="columns">
        <section className="card">
          <h2>{text.boot.services}</h2>
          <table className="table">
            <tbody>
              {server.data.services.map(({ name, state, reason }) => (
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
          {server.data.limits.length === 0 ? null : (
            <details>
              <summary>{text.boot.limits}</summary>
              <ul>
                {server.data.limits.map((limit) => (
                  <li key={limit}>{limit}</li>
                ))}
              </ul>
            </details>
          )}
          <details>
            <summary>{text.boot.counters}</summary>
            <table className="table">
              <tbody>
                {Object.entries(server.data.counters).map(([name, count]) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td className="number">{count.toLocaleString("en")}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </section>
        <InitialDeployment />
      </div>
      <BootFiles files={files.data ?? []} />
      <section className="card">
        <h2>{text.boot.events}</h2>
        <BootTimeline events={events.data ?? []} isForAll />
      </section>
    </main>
  );
}

function BootFiles(props: {
  readonly files: readonly { name: string; sizeBytes: number; sha256: string; purpose: string }[];
}): ReactNode {
  return (
    <section className="card">
      <h2>{text.boot.files}</h2>
      {props.files.length === 0 ? (
        <Empty icon="boot" title={text.boot.noFiles}>
          <p>{text.boot.noFilesHint}</p>
          <Link to="/guide">{text.nav.guide}</Link>
        </Empty>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{text.boot.file}</th>
              <th scope="col">{text.boot.purpose}</th>
              <th scope="col">{text.boot.size}</th>
              <th scope="col">{text.boot.hash}</th>
            </tr>
          </thead>
          <tbody>
            {props.files.map(({ name, sizeBytes, sha256, purpose }) => (
              <tr key={name}>
                <th scope="row" className="mono">
                  {name}
                </th>
                <td>{purpose}</td>
                <td className="number">{formatBytes(sizeBytes)}</td>
                <td className="mono clip" title={sha256}>
                  {sha256.slice(0, 16)}…
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
