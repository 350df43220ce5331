import type { ReactNode } from "react";
import type { OfferedJob } from "#engine/job/initial-deployment.ts";
import { text } from "../../text/text.ts";
import { Icon } from "../../ui/icon.tsx";

const menuJobCountMax = 7;

/** The jobs of the menu, in order. */
export function MenuJobsField(props: {
  readonly chosen: readonly string[];
  readonly jobs: readonly OfferedJob[];
  readonly isDisabled: boolean;
  readonly onChange: (chosen: readonly string[]) => void;
}): ReactNode {
  const { chosen, jobs, isDisabled, onChange } = props;
  const swap = (index: number, other: number): void => {
    const next = [...chosen];
    [next[index], next[other]] = [next[other] ?? "", next[index] ?? ""];
    onChange(next);
  };
  const more = jobs.filter(({ id }) => !chosen.includes(id));
  return (
    <fieldset className="menu-jobs" disabled={isDisabled}>
      <legend>{text.deployment.menu}</legend>
      {chosen.length === 0 ? <p className="muted">{text.deployment.noJob}</p> : null}
      <ol>
        {chosen.map((id, index) => (
          <MenuJob
            key={id}
            id={id}
            job={jobs.find((one) => one.id === id)}
            onUp={index === 0 ? null : () => swap(index, index - 1)}
            onDown={index === chosen.length - 1 ? null : () => swap(index, index + 1)}
            onRemove={() => onChange(chosen.filter((other) => other !== id))}
          />
        ))}
      </ol>
      <select
        aria-label={text.deployment.add}
        value=""
        disabled={more.length === 0 || chosen.length >= menuJobCountMax}
        onChange={(event) => onChange([...chosen, event.target.value])}
      >
        <option value="">{more.length === 0 ? text.deployment.noJobToAdd : text.deployment.add}</option>
        {more.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <p className="field-hint">{text.deployment.menuHint}</p>
    </fieldset>
  );
}

function MenuJob(props: {
  readonly id: string;
  /** `undefined`: it is not there any more. */
  readonly job: OfferedJob | undefined;
  /** `null`: it stands at that end. */
  readonly onUp: (() => void) | null;
  readonly onDown: (() => void) | null;
  readonly onRemove: () => void;
}): ReactNode {
  const { job, onUp, onDown, onRemove } = props;
  const name = job?.name ?? text.deployment.gone(props.id);
  const acts = [
    { icon: "up", label: text.deployment.up(name), run: onUp },
    { icon: "down", label: text.deployment.down(name), run: onDown },
    { icon: "cross", label: text.deployment.remove(name), run: onRemove },
  ] as const;
  return (
    <li>
      <span className="clip">{name}</span>
      {job?.isDestructive === true ? <small className="tone-bad">{text.deployment.erases}</small> : null}
      <span className="row-actions">
        {acts.map(({ icon, label, run }) => (
          <button
            key={icon}
            type="button"
            className="icon-button"
            aria-label={label}
            disabled={run === null}
            onClick={() => run?.()}
          >
            <Icon name={icon} />
          </button>
        ))}
      </span>
    </li>
  );
}
