import type { ReactNode } from "react";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Empty, Failure, Loading, Time } from "../../ui/pieces.tsx";

/** What happened to a computer outside of boots and jobs. */
export function HistoryTab({ id }: { readonly id: string }): ReactNode {
  const history = useApi("listComputerHistory", { id });
  if (history.data === undefined) {
    return history.error === null ? (
      <Loading what={text.history.loading} />
    ) : (
      <Failure error={history.error} />
    );
  }
  return (
    <section className="card">
      <p className="muted">{text.history.lead}</p>
      {history.data.length === 0 ? <Empty icon="audit" title={text.history.none} /> : null}
      <table className="table history">
        <tbody>
          {history.data.map(({ at, kind, detail }) => (
            <tr key={`${at} ${kind} ${detail}`}>
              <td>
                <Time at={at} />
              </td>
              <th scope="row">{text.history.kinds[kind] ?? kind}</th>
              <td>{detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
