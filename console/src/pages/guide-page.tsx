import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Icon } from "../ui/icon.tsx";
import { Badge, Command, PageHead } from "../ui/pieces.tsx";

/** From an empty server to a deployed computer; what is done is seen, not ticked. */
export function GuidePage(): ReactNode {
  const files = useApi("listBootFiles");
  const plan = useApi("showPlan");
  const computers = useApi("listComputers");
  const images = useApi("listImages");
  const jobs = useApi("listJobs");
  const all = computers.data ?? [];
  const steps: readonly { key: string; isDone: boolean; more?: ReactNode }[] = [
    { key: "account", isDone: true },
    { key: "files", isDone: (files.data ?? []).length > 0, more: <Command value="portolan boot build" /> },
    {
      key: "network",
      isDone: (plan.data?.segments ?? []).length > 0,
      more: <Link to="/plan/{-$tab}">{text.guide.toPlan}</Link>,
    },
    { key: "boot", isDone: all.length > 0 },
    {
      key: "approve",
      isDone: all.some(({ state }) => state === "approved"),
      more: <Link to="/">{text.guide.toComputers}</Link>,
    },
    {
      key: "image",
      isDone: (images.data ?? []).length > 0,
      more: <Link to="/images">{text.guide.toImages}</Link>,
    },
    { key: "deploy", isDone: (jobs.data ?? []).some(({ state }) => state === "done") },
  ];
  const next = steps.findIndex(({ isDone }) => !isDone);
  return (
    <main className="page">
      <PageHead title={text.nav.guide} lead={text.guide.lead} />
      <ol className="guide">
        {steps.map(({ key, isDone, more }, index) => {
          const [title, lead] = text.guide.steps[key] ?? [key, ""];
          return (
            <li key={key} className={isDone ? "guide-done" : index === next ? "guide-next" : ""}>
              <span className="guide-mark">
                {isDone ? <Icon name="check" label={text.guide.done} /> : index + 1}
              </span>
              <div>
                <h2>
                  {title} {isDone ? <Badge tone="good">{text.guide.done}</Badge> : null}
                </h2>
                <p>{lead}</p>
                {more}
              </div>
            </li>
          );
        })}
      </ol>
      {next === -1 ? <p className="note">{text.guide.finished}</p> : null}
      <p className="note">
        {text.guide.noHardware} <Command value="npm run lab" />
      </p>
    </main>
  );
}
