import { type ReactNode, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Badge, Facts, Failure, Loading, Time, type Tone } from "../../ui/pieces.tsx";
import { AgentSettingsDialog, showSetting } from "../agent-settings-dialog.tsx";
import { useObstacle } from "../me.tsx";

const tones: Readonly<Record<string, Tone>> = {
  sent: "busy",
  applied: "good",
  returned: "warn",
  refused: "bad",
};

/** What the computer's agent runs with, and what became of the last change. */
export function AgentTab({ computer }: { readonly computer: ComputerResource }): ReactNode {
  const state = useApi("showAgentSettings", { id: computer.id });
  const obstacle = useObstacle("administrator");
  const [isChanging, setChanging] = useState(false);
  if (state.data === undefined) {
    return state.error === null ? <Loading what={text.computer.loading} /> : <Failure error={state.error} />;
  }
  const { settings, isLocked, change } = state.data;
  return (
    <div className="columns">
      <section className="card">
        <div className="session-head">
          <h2>{text.agent.running}</h2>
          <button
            type="button"
            className="button small"
            disabled={obstacle !== null}
            title={obstacle ?? undefined}
            onClick={() => setChanging(true)}
          >
            {text.agent.change}
          </button>
        </div>
        {settings === null ? <p className="muted">{text.agent.notTold}</p> : null}
        <Facts
          facts={[
            ...Object.entries(settings ?? {}).map(
              ([key, value]) =>
                [
                  (text.agent.fields as Readonly<Record<string, string>>)[key] ?? key,
                  value === null ? null : showSetting(key, value),
                ] as const,
            ),
            [text.agent.isLocked, isLocked ? text.agent.locked : text.agent.unlocked],
          ]}
        />
      </section>
      {change === null ? null : (
        <section className="card">
          <div className="session-head">
            <h2>{text.agent.lastChange}</h2>
            <Badge tone={tones[change.outcome] ?? "calm"}>
              {text.agent.outcomes[change.outcome] ?? change.outcome}
            </Badge>
          </div>
          {change.reason === null ? null : <p>{change.reason}</p>}
          <Facts
            facts={[
              ...Object.entries(change.change).map(
                ([key, value]) =>
                  [
                    (text.agent.fields as Readonly<Record<string, string>>)[key] ?? key,
                    showSetting(key, value ?? ""),
                  ] as const,
              ),
              [text.job.created, <Time key="sent" at={change.sentAtMs} />],
            ]}
          />
        </section>
      )}
      {isChanging ? <AgentSettingsDialog computers={[computer]} onClose={() => setChanging(false)} /> : null}
    </div>
  );
}
