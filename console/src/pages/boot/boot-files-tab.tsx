import type { ReactNode } from "react";
import type { BootBuildResource } from "#api/boot-api.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { Badge, Command, Empty, Facts, Failure, Loading, Time } from "../../ui/pieces.tsx";
import { useSiteObstacle } from "../me.tsx";

/** What every computer reads on its way into preboot. Of the loaders, the rest, it reads one or two. */
const downloads: readonly string[] = ["vmlinuz", "initrd.img", "preboot.squashfs"];

/** What was built for network boot, whether it is what computers get, and how to build anew. */
export function BootFilesTab(): ReactNode {
  const build = useApi("showBootBuild");
  if (build.data === undefined) {
    return build.error === null ? <Loading what={text.bootFiles.loading} /> : <Failure error={build.error} />;
  }
  const { files, problems } = build.data;
  return (
    <div className="stack">
      <div className="columns">
        <Build build={build.data} />
        <section className="card">
          <h2>{text.bootFiles.anew}</h2>
          <p>{text.bootFiles.anewLead}</p>
          <ol className="steps">
            <li>
              <Command value="portolan boot build" />
            </li>
            <li>
              {text.bootFiles.thenServe} <ServeButton build={build.data} />
            </li>
          </ol>
          {(files.length === 0 ? [] : problems).map((problem) => (
            <p key={problem} className="note">
              {text.bootFiles.atReading(problem)}
            </p>
          ))}
        </section>
      </div>
      {files.length === 0 ? null : <FileTable files={files} />}
    </div>
  );
}

function ServedBadge({ isServed }: { readonly isServed: boolean }): ReactNode {
  return (
    <Badge tone={isServed ? "good" : "warn"}>
      {isServed ? text.bootFiles.served : text.bootFiles.notServed}
    </Badge>
  );
}

function Build({ build }: { readonly build: BootBuildResource }): ReactNode {
  const { builtAt, packagedAt, kernelVersion, folder, files } = build;
  const downloadBytes = files
    .filter(({ name }) => downloads.includes(name))
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (
    <section className="card">
      <h2>
        {text.bootFiles.built}{" "}
        {files.length === 0 ? null : <ServedBadge isServed={files.every(({ isServed }) => isServed)} />}
      </h2>
      {builtAt === null ? (
        <Empty icon="boot" title={text.bootFiles.none}>
          {text.bootFiles.noneHint}
        </Empty>
      ) : (
        <Facts
          facts={[
            [text.bootFiles.builtAt, <Time key="built" at={builtAt} />],
            [text.bootFiles.kernel, kernelVersion],
            [text.bootFiles.packagedAt, packagedAt === null ? null : <Time key="packaged" at={packagedAt} />],
            [text.bootFiles.reads, downloadBytes === 0 ? null : formatBytes(downloadBytes)],
            [text.bootFiles.folder, <code key="folder">{folder}</code>],
          ]}
        />
      )}
    </section>
  );
}

function ServeButton({ build }: { readonly build: BootBuildResource }): ReactNode {
  const obstacle = useSiteObstacle("administrator");
  const serve = useAction("serveBootBuild", {
    done: ({ files }) => text.bootFiles.nowServed(files.filter(({ isServed }) => isServed).length),
  });
  return (
    <button
      type="button"
      className="button small"
      disabled={obstacle !== null || serve.isPending || build.files.length === 0}
      title={obstacle ?? undefined}
      onClick={() => serve.mutate({})}
    >
      {text.bootFiles.serve}
    </button>
  );
}

function FileTable({ files }: { readonly files: BootBuildResource["files"] }): ReactNode {
  return (
    <section className="card table-card">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{text.bootFiles.file}</th>
            <th scope="col">{text.bootFiles.purpose}</th>
            <th scope="col" className="number">
              {text.bootFiles.size}
            </th>
            <th scope="col">{text.bootFiles.hash}</th>
            <th scope="col">{text.bootFiles.state}</th>
          </tr>
        </thead>
        <tbody>
          {files.map(({ name, sizeBytes, sha256, purpose, isServed }) => (
            <tr key={name}>
              <th scope="row" className="mono">
                {name}
              </th>
              <td>{purpose}</td>
              <td className="number">{formatBytes(sizeBytes)}</td>
              <td className="mono">
                <span title={sha256}>{sha256.slice(0, 16)}…</span>
              </td>
              <td>
                <ServedBadge isServed={isServed} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
