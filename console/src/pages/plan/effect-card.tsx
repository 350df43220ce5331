import type { ReactNode } from "react";
import { text } from "../../text/text.ts";
import { Badge } from "../../ui/pieces.tsx";
import type { PlanEffect } from "./plan-changes.ts";
import type { RuleChange } from "./rule-changes.ts";

/** More than one change of settings makes; what is beyond is counted. */
const ruleCountMax = 60;

/** Ports, groups and rules that a change opens, closes and changes, before it is applied. */
export function EffectCard({
  effect,
  isChanged,
}: {
  readonly effect: PlanEffect;
  readonly isChanged: boolean;
}): ReactNode {
  const changes = effect.type === "changes" ? effect.changes : [];
  const rules = effect.type === "changes" ? effect.rules : [];
  return (
    <section className="card effect" aria-live="polite">
      <h2>{text.options.effect}</h2>
      {!isChanged ? <p className="muted">{text.options.nothingChanged}</p> : null}
      {isChanged && effect.type === "changes" && changes.length === 0 ? <p>{text.options.noEffect}</p> : null}
      {effect.type === "refused" ? <p className="failure">{effect.message}</p> : null}
      <ul className="changes">
        {changes.map(({ type, flowId, title, line }) => (
          <li key={`${type} ${flowId} ${line}`} className={`change-${type}`}>
            <Badge tone={type === "opened" ? "good" : "bad"}>{text.options[type]}</Badge>
            <span className="mono">{line}</span>
            <small className="muted">{title}</small>
          </li>
        ))}
      </ul>
      {rules.length === 0 ? null : (
        <>
          <h3>{text.options.rules}</h3>
          <p className="muted">{text.options.rulesLead}</p>
          <ul className="changes">
            {rules.slice(0, ruleCountMax).map((rule) => (
              <RuleLine key={`${rule.segment} ${rule.ruleId}`} rule={rule} />
            ))}
            {rules.length > ruleCountMax ? <li>{text.work.andMore(rules.length - ruleCountMax)}</li> : null}
          </ul>
        </>
      )}
    </section>
  );
}

function RuleLine({ rule }: { readonly rule: RuleChange }): ReactNode {
  const { segment, title, before, after } = rule;
  const kind = before === null ? "ruleAdded" : after === null ? "ruleRemoved" : "ruleChanged";
  const tone = { ruleAdded: "good", ruleRemoved: "bad", ruleChanged: "warn" } as const;
  return (
    <li>
      <Badge tone={tone[kind]}>{text.options[kind]}</Badge>
      <strong>{segment}</strong>
      <small className="muted">{title}</small>
      {before === null ? null : <del className="mono">{before}</del>}
      {after === null ? null : <ins className="mono">{after}</ins>}
    </li>
  );
}
