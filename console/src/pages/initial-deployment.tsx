import type { ReactNode } from "react";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { useObstacle } from "./me.tsx";

const key = "initialDeployment.action";

/** What unknown computers get. The choices are the setting's own. */
export function InitialDeployment(): ReactNode {
  const settings = useApi("listSettings");
  const set = useAction("setSetting", { done: ({ effect }) => effect });
  const obstacle = useObstacle("administrator");
  const setting = settings.data?.find((candidate) => candidate.key === key);
  if (setting === undefined) {
    return null;
  }
  const choices = setting.accepts.replace(/^one of /, "").split(", ");
  return (
    <section className="card">
      <h2>{text.boot.action}</h2>
      <p>{text.boot.actionLead}</p>
      <div role="radiogroup" aria-label={text.boot.action} className="choices">
        {choices.map((choice) => (
          <label key={choice} className="choice">
            <input
              type="radio"
              name={key}
              checked={setting.value === choice}
              disabled={obstacle !== null || set.isPending}
              onChange={() => set.mutate({ id: key, body: { value: choice } })}
            />
            <span>{choice}</span>
          </label>
        ))}
      </div>
      <p className="muted">{setting.help}</p>
      {obstacle === null ? null : <p className="note">{obstacle}</p>}
    </section>
  );
}
