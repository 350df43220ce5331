import type { ReactNode } from "react";
import { drawMenu, openMenu } from "#engine/agent/boot-menu.ts";
import {
  decideInitialDeployment,
  describeInitialWait,
  type InitialSettings,
  type OfferedJob,
} from "#engine/job/initial-deployment.ts";
import { text } from "../../text/text.ts";

const newcomer = { environment: "preboot", hasHistory: false, isAsked: false } as const;

/** What a new computer would show: decided and drawn by the code that decides at the server and draws at the computer. */
function drawScreen(settings: InitialSettings, jobs: readonly OfferedJob[]): readonly string[] {
  if (settings["initialDeployment.action"] === "local") {
    return ["", text.deployment.previewLocal];
  }
  const decision = decideInitialDeployment(settings, newcomer, jobs);
  switch (decision.type) {
    case "menu":
      return drawMenu(openMenu(decision.menu, 0), 0);
    case "assign": {
      const name = jobs.find(({ id }) => id === decision.jobId)?.name ?? decision.jobId;
      return ["", text.deployment.previewJob(name)];
    }
    case "wait":
      return ["", describeInitialWait(decision.reason)];
    case "local":
    case "leave":
      return ["", text.deployment.previewLocal];
  }
}

export function ScreenPreview(props: {
  readonly settings: InitialSettings;
  readonly jobs: readonly OfferedJob[];
}): ReactNode {
  return (
    <figure className="screen">
      <figcaption>{text.deployment.preview}</figcaption>
      <pre tabIndex={0} aria-label={text.deployment.preview}>
        {drawScreen(props.settings, props.jobs).join("\n")}
      </pre>
    </figure>
  );
}
