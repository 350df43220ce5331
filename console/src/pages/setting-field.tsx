import type { ReactNode } from "react";
import type { SettingResource } from "#api/settings-api.ts";
import { text } from "../text/text.ts";
import { Field } from "../ui/field.tsx";

/** The words of a setting that is one of a few, or `null`. The server says what it accepts as a sentence. */
function choicesOf({ accepts }: SettingResource): readonly string[] | null {
  if (accepts === "on or off") {
    return ["on", "off"];
  }
  return accepts.startsWith("one of ") ? accepts.slice("one of ".length).split(", ") : null;
}

export function SettingField(props: {
  readonly setting: SettingResource;
  readonly draft: string;
  readonly isDisabled: boolean;
  readonly error: string | null;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const { setting, draft, isDisabled, error, onChange } = props;
  const choices = choicesOf(setting);
  const isChanged = draft !== setting.default;
  const hint = [
    `${setting.help[0]?.toUpperCase() ?? ""}${setting.help.slice(1)}.`,
    choices === null ? text.options.accepts(setting.accepts) : "",
    isChanged ? text.options.changedFrom(setting.default) : "",
  ].join(" ");
  return (
    <Field label={setting.key} hint={hint} error={error}>
      {(id, describedBy) =>
        choices === null ? (
          <input
            id={id}
            aria-describedby={describedBy}
            aria-invalid={error !== null}
            value={draft}
            disabled={isDisabled}
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
          />
        ) : (
          <select
            id={id}
            aria-describedby={describedBy}
            value={draft}
            disabled={isDisabled}
            onChange={(event) => onChange(event.target.value)}
          >
            {choices.map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
          </select>
        )
      }
    </Field>
  );
}
