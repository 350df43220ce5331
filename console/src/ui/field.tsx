import { type ComponentProps, type ReactNode, useId } from "react";
import { text } from "../text/text.ts";

/** A label, what stands below it, and why the value was refused. */
export function Field(props: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | null;
  readonly children: (id: string, describedBy: string) => ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      {props.children(id, `${id}-hint`)}
      <div id={`${id}-hint`} className={props.error ? "field-hint field-error" : "field-hint"}>
        {props.error ?? props.hint}
      </div>
    </div>
  );
}

type TextFieldProps = Omit<ComponentProps<"input">, "id" | "value" | "onChange" | "children"> & {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: Error | null;
  readonly value: string | number;
  readonly onChange: (value: string) => void;
};

/** One line that is typed; everything else that an input knows is passed on. */
export function TextField({ label, hint, error, onChange, ...input }: TextFieldProps): ReactNode {
  return (
    <Field label={label} hint={hint} error={error?.message ?? null}>
      {(id, describedBy) => (
        <input
          id={id}
          aria-describedby={describedBy}
          onChange={(event) => onChange(event.target.value)}
          {...input}
        />
      )}
    </Field>
  );
}

/** A password that is made, with the rule the server has for it. */
export function NewPasswordField(
  props: Pick<TextFieldProps, "label" | "error" | "value" | "onChange">,
): ReactNode {
  return (
    <TextField
      {...props}
      hint={text.setup.passwordHint}
      type="password"
      autoComplete="new-password"
      minLength={10}
      required
    />
  );
}

/** One of a few values, each with its word. */
export function ChoiceField<Value extends string>(props: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: Error | null;
  readonly value: Value;
  readonly choices: readonly (readonly [value: Value, label: string])[];
  readonly onChange: (value: Value) => void;
}): ReactNode {
  const { label, hint, error, value, choices, onChange } = props;
  return (
    <Field label={label} hint={hint} error={error?.message ?? null}>
      {(id, describedBy) => (
        <select
          id={id}
          aria-describedby={describedBy}
          value={value}
          onChange={(event) => {
            const chosen = choices.find(([choice]) => choice === event.target.value);
            if (chosen !== undefined) {
              onChange(chosen[0]);
            }
          }}
        >
          {choices.map(([choice, word]) => (
            <option key={choice} value={choice}>
              {word}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
