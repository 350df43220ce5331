import { type ReactNode, useMemo, useState } from "react";
import type { SoftwareResource } from "#api/computer-api.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { DataGrid, type GridColumn } from "../../ui/data-grid.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Empty, Failure, Loading, Time } from "../../ui/pieces.tsx";

type Package = SoftwareResource["packages"][number];

/** How the computer's history calls changes of what is installed. */
const historyKind = "inventory";

const columns: readonly GridColumn<Package>[] = [
  {
    key: "name",
    title: text.software.name,
    width: "minmax(120px, 1.2fr)",
    sortBy: ({ name }) => name,
    render: ({ name }) => <span className="clip">{name}</span>,
  },
  {
    key: "version",
    title: text.software.version,
    width: "minmax(120px, 1fr)",
    sortBy: ({ version }) => version,
    render: ({ version }) => <span className="mono clip">{version}</span>,
  },
];

/** What is installed on a computer and who has an account there, with the changes that were seen. */
export function SoftwareTab({ id }: { readonly id: string }): ReactNode {
  const software = useApi("showComputerSoftware", { id });
  if (software.data === undefined) {
    return software.error === null ? (
      <Loading what={text.software.loading} />
    ) : (
      <Failure error={software.error} />
    );
  }
  const { packages, users, toldAt } = software.data;
  if (toldAt === null) {
    return (
      <Empty icon="package" title={text.software.none}>
        {text.software.noneHint}
      </Empty>
    );
  }
  return (
    <div className="columns">
      <PackagesCard packages={packages} toldAt={toldAt} />
      <div className="stack">
        <section className="card">
          <h2>{text.software.users}</h2>
          <ul className="chips">
            {users.map((user) => (
              <li key={user}>{user}</li>
            ))}
          </ul>
        </section>
        <ChangesCard id={id} />
      </div>
    </div>
  );
}

function PackagesCard(props: { readonly packages: readonly Package[]; readonly toldAt: number }): ReactNode {
  const [wanted, setWanted] = useState("");
  const shown = useMemo(() => {
    const word = wanted.trim().toLowerCase();
    return props.packages.filter(({ name, version }) => `${name} ${version}`.toLowerCase().includes(word));
  }, [props.packages, wanted]);
  return (
    <section className="card packages">
      <div className="session-head">
        <h2>{text.software.packages}</h2>
        <span className="muted">
          {text.software.count(shown.length, props.packages.length)} · {text.software.told}{" "}
          <Time at={props.toldAt} />
        </span>
      </div>
      <label className="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label={text.software.filter}
          placeholder={text.software.filter}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      </label>
      <DataGrid
        label={text.software.packages}
        rows={shown}
        columns={[...columns]}
        idOf={({ name, version }) => `${name} ${version}`}
        initialSort={{ key: "name", isDown: false }}
        empty={<Empty icon="search" title={text.software.noMatch} />}
      />
    </section>
  );
}

function ChangesCard({ id }: { readonly id: string }): ReactNode {
  const history = useApi("listComputerHistory", { id });
  const changes = (history.data ?? []).filter(({ kind }) => kind === historyKind);
  return (
    <section className="card">
      <h2>{text.software.changes}</h2>
      {changes.length === 0 ? <p className="muted">{text.software.noChange}</p> : null}
      <ol className="software-changes">
        {changes.map(({ at, detail }) => (
          <li key={`${at} ${detail}`}>
            <Time at={at} />
            <ul>
              {detail.split("; ").map((change) => (
                <li key={change}>{change}</li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  );
}
