import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Badge, Failure, Loading, PageHead, Tabs } from "../../ui/pieces.tsx";
import { FlowTable } from "./flow-table.tsx";
import { PlanMap } from "./plan-map.tsx";

/** The plan: what traffic goes where, and why. */
export function PlanPage(): ReactNode {
  const { tab = "map" } = useParams({ from: "/shell/plan/{-$tab}" });
  const plan = useApi("showPlan");
  const computers = useApi("listComputers");
  if (plan.data === undefined) {
    return plan.error === null ? <Loading what={text.plan.loading} /> : <Failure error={plan.error} />;
  }
  const { differences } = plan.data;
  const tabs = (["map", "flows"] as const).map((key) => ({
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
        <ul className="note">
          {differences.map((difference) => (
            <li key={difference}>{difference}</li>
          ))}
        </ul>
      )}
      <Tabs tabs={tabs} label={text.nav.plan} />
      {tab === "map" ? <PlanMap plan={plan.data} computers={computers.data ?? []} /> : null}
      {tab === "flows" ? <FlowTable flows={plan.data.flows} /> : null}
    </main>
  );
}
