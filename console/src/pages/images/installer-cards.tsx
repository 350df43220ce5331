import type { ReactNode } from "react";
import { useApi } from "../../api/use-api.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { Facts, Time } from "../../ui/pieces.tsx";

/** Installers of distributions, which jobs name; nothing where there is none. */
export function InstallerCards(): ReactNode {
  const installers = useApi("listInstallers");
  if (installers.data === undefined || installers.data.length === 0) {
    return null;
  }
  const words = text.images.installers;
  return (
    <>
      <div className="cards-head">
        <h2>{words.title}</h2>
        <p className="muted">
          {words.lead} <code>portolan installer add</code>
        </p>
      </div>
      <div className="cards cards-wide">
        {installers.data.map((installer) => (
          <section key={installer.id} className="card" aria-label={installer.name}>
            <div className="session-head">
              <h3>{installer.name}</h3>
            </div>
            <Facts
              facts={[
                [words.description, installer.description === "" ? null : installer.description],
                [words.kernel, installer.kernelVersion],
                [words.signature, installer.isSigned ? words.signed : words.unsigned],
                [words.commandLine, <code key="line">{installer.commandLine}</code>],
                [words.size, formatBytes(installer.sizeBytes)],
                [text.images.created, <Time key="created" at={installer.createdAt} />],
                ["ID", <code key="id">{installer.id}</code>],
              ]}
            />
          </section>
        ))}
      </div>
    </>
  );
}
