import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { PlanResource } from "#api/plan-api.ts";
import type { CellResource, VerifiedSegmentResource } from "#api/verify-api.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Badge, CopyText, Empty, Facts, Time, type Tone } from "../../ui/pieces.tsx";
import { useSiteObstacle } from "../me.tsx";
import { OperationProgress } from "../operation-progress.tsx";
import { DeviceSelect, useDevice } from "./device-choice.tsx";

type Verdict = CellResource["verdict"];

export const verdictTones: Readonly<Record<Verdict, Tone>> = {
  pass: "good",
  blocked: "bad",
  late: "warn",
  degraded: "warn",
  "not-tested": "calm",
};

/** Segments by flows, with what was found in each cell; beside it, the cause of the chosen one and what mends it. */
export function VerifyTab({ plan }: { readonly plan: PlanResource }): ReactNode {
  const verdicts = useApi("listVerdicts");
  const client = useQueryClient();
  const obstacle = useSiteObstacle("operator");
  const [operationId, setOperationId] = useState<string | null>(null);
  const [chosen, setChosen] = useState<{ segment: string; flow: string } | null>(null);
  const device = useDevice();
  const verify = useAction("verifyPlan");
  const verified = verdicts.data ?? [];
  const cells = verified.flatMap((segment) => segment.cells);
  const cell = cells.find(({ segment, flow }) => segment === chosen?.segment && flow === chosen.flow) ?? null;
  return (
    <>
      <div className="page-actions">
        <button
          type="button"
          className="button primary"
          disabled={obstacle !== null || verify.isPending}
          title={obstacle ?? undefined}
          onClick={() =>
            verify.mutate({ body: { format: device.format } }, { onSuccess: ({ id }) => setOperationId(id) })
          }
        >
          {text.plan.verify}
        </button>
        <DeviceSelect {...device} />
        {verified.map(({ segment, at, prober }) => (
          <small key={segment} className="muted">
            <strong>{segment}</strong>{" "}
            {prober === null ? text.plan.noProber : text.plan.probedBy(prober.name)}, <Time at={at} />
          </small>
        ))}
      </div>
      {operationId === null ? null : (
        <OperationProgress
          id={operationId}
          onEnd={() =>
            void client.invalidateQueries({
              predicate: ({ queryKey }) => ["listVerdicts", "listFindings"].includes(String(queryKey[0])),
            })
          }
          onClose={() => setOperationId(null)}
        />
      )}
      {verified.length === 0 ? (
        <Empty icon="plan" title={text.plan.noVerdict}>
          {text.plan.noVerdictHint}
        </Empty>
      ) : (
        <div className="verify">
          <Matrix plan={plan} verified={verified} chosen={chosen} onChoose={setChosen} />
          <CellDetails plan={plan} cell={cell} />
        </div>
      )}
    </>
  );
}

function Matrix(props: {
  readonly plan: PlanResource;
  readonly verified: readonly VerifiedSegmentResource[];
  readonly chosen: { readonly segment: string; readonly flow: string } | null;
  readonly onChoose: (cell: { segment: string; flow: string }) => void;
}): ReactNode {
  const { plan, verified, chosen, onChoose } = props;
  const flowIds = [...new Set(verified.flatMap(({ cells }) => cells.map(({ flow }) => flow)))];
  return (
    <section className="card matrix-card">
      <table className="table matrix">
        <caption>{text.plan.matrix}</caption>
        <thead>
          <tr>
            <th scope="col">{text.plan.flow}</th>
            {verified.map(({ segment, cidr }) => (
              <th key={segment} scope="col">
                {segment}
                <small className="mono">{cidr}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {flowIds.map((flow) => (
            <tr key={flow}>
              <th scope="row">
                {plan.flows.find(({ id }) => id === flow)?.title ?? flow}
                <small className="mono">{flow}</small>
              </th>
              {verified.map(({ segment, cells }) => {
                const cell = cells.find((candidate) => candidate.flow === flow);
                const isChosen = chosen?.segment === segment && chosen.flow === flow;
                return (
                  <td key={segment}>
                    {cell === undefined ? (
                      <span className="muted">–</span>
                    ) : (
                      <button
                        type="button"
                        className={`cell cell-${cell.verdict}`}
                        aria-pressed={isChosen}
                        onClick={() => onChoose({ segment, flow })}
                      >
                        {text.plan.verdicts[cell.verdict]}
                        {cell.latencyMs === null ? null : <small>{text.plan.ms(cell.latencyMs)}</small>}
                      </button>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function CellDetails(props: { readonly plan: PlanResource; readonly cell: CellResource | null }): ReactNode {
  const { plan, cell } = props;
  if (cell === null) {
    return (
      <aside className="card cell-details">
        <p className="muted">{text.plan.chooseCell}</p>
      </aside>
    );
  }
  return (
    <aside className="card cell-details" aria-live="polite">
      <h2>
        {plan.flows.find(({ id }) => id === cell.flow)?.title ?? cell.flow}{" "}
        <small className="muted">{cell.segment}</small>
      </h2>
      <div>
        <Badge tone={verdictTones[cell.verdict]}>{text.plan.verdicts[cell.verdict]}</Badge>
      </div>
      <Facts
        facts={[
          [text.plan.evidence, cell.evidence],
          [text.plan.cause, cell.cause],
          [text.plan.latency, cell.latencyMs === null ? null : text.plan.ms(cell.latencyMs)],
        ]}
      />
      {cell.remedy === null ? null : (
        <>
          <h3>{text.plan.remedy}</h3>
          <pre className="code">{cell.remedy}</pre>
          <div>
            <CopyText value={cell.remedy} label={text.common.copy} />
          </div>
        </>
      )}
    </aside>
  );
}
