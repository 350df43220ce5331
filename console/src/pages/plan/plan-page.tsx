import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { VerifiedSegmentResource } from "#api/verify-api.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Badge, Failure, Loading, PageHead, Tabs } from "../../ui/pieces.tsx";
import { BundleTab } from "./bundle-tab.tsx";
import { FlowTable } from "./flow-table.tsx";
import { LintTab } from "./lint-tab.tsx";
import { PlanMap, type SegmentVerdict } from "./plan-map.tsx";
import { RulesTab } from "./rules-tab.tsx";
import { SegmentTable } from "./segment-table.tsx";
import { VerifyTab } from "./verify-tab.tsx";

/** The plan: what traffic goes where, and why. */
export function PlanPage(): ReactNode {
  const { tab = "map" } = useParams({ from: "/shell/plan/{-$tab}" });
  const plan = useApi("showPlan");
  const computers = useApi("listComputers");
  const verdicts = useApi("listVerdicts");
  if (plan.data === undefined) {
    return plan.error === null ? <Loading what={text.plan.loading} /> : <Failure error={plan.error} />;
  }
  const differences = [
    ...plan.data.differences,
    ...plan.data.others.flatMap((other) =>
      other.differences.map((difference) => `${other.server}: ${difference}`),
    ),
  ];
  const worst = worstVerdicts(verdicts.data ?? []);
  const tabs = (["map", "flows", "verify", "rules", "bundle", "lint"] as const).map((key) => ({
    key,
    title: text.plan.tabs[key],
    to: key === "map" ? "/plan" : `/plan/${key}`,
  }));
  return (
    <main className="page">
      <PageHead title={text.nav.plan} lead={text.plan.lead}>
        {differences.length === 0 ? (
          <Badge tone="good">{text.plan.agrees}</Badge>
        ) : (
          <Badge tone="bad">{text.plan.differs(differences.length)}</Badge>
        )}
      </PageHead>
      {differences.length === 0 ? null : (
        <details className="note">
          <summary>{text.plan.differs(differences.length)}</summary>
          <ul>
            {differences.map((difference) => (
              <li key={difference}>{difference}</li>
            ))}
          </ul>
        </details>
      )}
      <Tabs tabs={tabs} label={text.nav.plan} />
      {tab === "map" ? (
        <>
          <PlanMap plan={plan.data} computers={computers.data ?? []} verdicts={worst} />
          <SegmentTable segments={plan.data.segments} />
        </>
      ) : null}
      {tab === "flows" ? <FlowTable flows={plan.data.flows} /> : null}
      {tab === "verify" ? <VerifyTab plan={plan.data} /> : null}
      {tab === "rules" ? <RulesTab plan={plan.data} /> : null}
      {tab === "bundle" ? <BundleTab plan={plan.data} /> : null}
      {tab === "lint" ? <LintTab /> : null}
    </main>
  );
}

const badness: readonly SegmentVerdict[] = ["not-tested", "pass", "degraded", "late", "blocked"];

/** The worst cell of each segment, by its name. */
function worstVerdicts(verified: readonly VerifiedSegmentResource[]): ReadonlyMap<string, SegmentVerdict> {
  return new Map(
    verified.map(({ segment, cells }) => [
      segment,
      cells.reduce<SegmentVerdict>(
        (worst, { verdict }) => (badness.indexOf(verdict) > badness.indexOf(worst) ? verdict : worst),
        "not-tested",
      ),
    ]),
  );
}
