import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { InitialDeploymentResource } from "#api/initial-deployment-api.ts";
import { listInitialProblems, type OfferedJob } from "#engine/job/initial-deployment.ts";
import { useAction, useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { ChoiceField, TextField } from "../../ui/field.tsx";
import { Badge, Empty, Failure, Loading } from "../../ui/pieces.tsx";
import { useSiteObstacle } from "../me.tsx";
import { type DeploymentDraft, isJobChoice, toDraft, toOffered, toSettings } from "./deployment-draft.ts";
import { MenuJobsField } from "./menu-jobs-field.tsx";
import { ScreenPreview } from "./screen-preview.tsx";

const actions = ["wait", "menu", "job", "local"] as const;

/** What new computers get: edited on the left, and on the right what that means at the computer. */
export function InitialDeploymentTab(): ReactNode {
  const current = useApi("showInitialDeployment");
  const jobs = useApi("listJobs");
  if (current.data === undefined || jobs.data === undefined) {
    const error = current.error ?? jobs.error;
    return error === null ? <Loading what={text.deployment.loading} /> : <Failure error={error} />;
  }
  return <Editor current={current.data} jobs={toOffered(jobs.data)} />;
}

function Editor(props: {
  readonly current: InitialDeploymentResource;
  readonly jobs: readonly OfferedJob[];
}): ReactNode {
  const { current, jobs } = props;
  const obstacle = useSiteObstacle("administrator");
  const [changes, setChanges] = useState<Partial<DeploymentDraft>>({});
  const save = useAction("setInitialDeployment", { done: () => text.deployment.saved });
  const draft = { ...toDraft(current), ...changes };
  const settings = toSettings(draft);
  const isSame = JSON.stringify(draft) === JSON.stringify(toDraft(current));
  const isOff = obstacle !== null || save.isPending;
  const change = (changed: Partial<DeploymentDraft>): void => setChanges({ ...changes, ...changed });
  return (
    <form
      className="columns"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ body: { ...draft, jobs: [...draft.jobs] } }, { onSuccess: () => setChanges({}) });
      }}
    >
      <section className="card">
        <ActionChoices action={draft.action} isDisabled={isOff} onChange={(action) => change({ action })} />
        {draft.action === "menu" ? (
          <MenuJobsField
            chosen={draft.jobs}
            jobs={jobs}
            isDisabled={isOff}
            onChange={(chosen) => change({ jobs: chosen })}
          />
        ) : null}
        <DefaultFields {...{ draft, jobs, change }} isDisabled={isOff} />
        {obstacle === null ? null : <p className="note">{obstacle}</p>}
        <div className="form-actions">
          <button type="button" className="button" disabled={isSame} onClick={() => setChanges({})}>
            {text.deployment.discard}
          </button>
          <button type="submit" className="button primary" disabled={isSame || isOff}>
            {text.deployment.save}
          </button>
        </div>
      </section>
      <div className="stack">
        <section className="card">
          <ScreenPreview settings={settings} jobs={jobs} />
          {listInitialProblems(settings, jobs).map((problem) => (
            <p key={problem} className="note">
              {problem}
            </p>
          ))}
        </section>
        <AtIt computers={current.computers} />
      </div>
    </form>
  );
}

function ActionChoices(props: {
  readonly action: DeploymentDraft["action"];
  readonly isDisabled: boolean;
  readonly onChange: (action: DeploymentDraft["action"]) => void;
}): ReactNode {
  return (
    <fieldset className="action-choices" disabled={props.isDisabled}>
      <legend>{text.deployment.what}</legend>
      {actions.map((action) => {
        const [title, lead] = text.deployment.actions[action];
        return (
          <label key={action}>
            <input
              type="radio"
              name="action"
              checked={action === props.action}
              onChange={() => props.onChange(action)}
            />
            <span>
              <strong>{title}</strong>
              <small>{lead}</small>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

/** What is taken without a person, and when. */
function DefaultFields(props: {
  readonly draft: DeploymentDraft;
  readonly jobs: readonly OfferedJob[];
  readonly isDisabled: boolean;
  readonly change: (changed: Partial<DeploymentDraft>) => void;
}): ReactNode {
  const { draft, jobs, isDisabled, change } = props;
  if (draft.action !== "menu" && draft.action !== "job") {
    return null;
  }
  const offered = draft.action === "menu" ? jobs.filter(({ id }) => draft.jobs.includes(id)) : jobs;
  const isKnown = !isJobChoice(draft.default) || offered.some(({ id }) => id === draft.default);
  const lost = jobs.find(({ id }) => id === draft.default)?.name ?? text.deployment.gone(draft.default);
  const choices = [
    ...offered.map(({ id, name }) => [id, name] as const),
    ...(isKnown ? [] : [[draft.default, lost] as const]),
    ["local", text.deployment.local] as const,
    ["wait", text.deployment.wait] as const,
  ];
  return (
    <fieldset className="plain" disabled={isDisabled}>
      <div className="field-row">
        <ChoiceField
          label={text.deployment.default}
          hint={text.deployment.defaultHint[draft.action]}
          value={draft.default}
          choices={choices}
          onChange={(choice) => change({ default: choice })}
        />
        {draft.action === "menu" ? (
          <TextField
            label={text.deployment.seconds}
            hint={text.deployment.secondsHint}
            type="number"
            min={0}
            max={86_400}
            value={draft.menuMs / 1000}
            onChange={(seconds) => change({ menuMs: Math.round(Number(seconds) * 1000) })}
          />
        ) : null}
      </div>
      <label className="choice">
        <input
          type="checkbox"
          checked={draft.mayErase}
          onChange={(event) => change({ mayErase: event.target.checked })}
        />
        {text.deployment.mayErase}
      </label>
    </fieldset>
  );
}

function AtIt({ computers }: { readonly computers: InitialDeploymentResource["computers"] }): ReactNode {
  return (
    <section className="card">
      <h2>{text.deployment.atIt}</h2>
      {computers.length === 0 ? (
        <Empty icon="computer" title={text.deployment.nobody}>
          {text.deployment.nobodyHint}
        </Empty>
      ) : (
        <ul className="at-it">
          {computers.map(({ computerId, name, state, text: sentence }) => (
            <li key={computerId}>
              <Link to="/computers/$id/{-$tab}" params={{ id: computerId }}>
                {name}
              </Link>
              <Badge tone={state === "menu" ? "busy" : "warn"}>{text.deployment.states[state]}</Badge>
              <small className="muted">{sentence}</small>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
