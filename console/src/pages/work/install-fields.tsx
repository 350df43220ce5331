import { type ReactNode, useRef } from "react";
import { answerVariables } from "#engine/installer/answers.ts";
import { text } from "../../text/text.ts";
import { Field, TextField } from "../../ui/field.tsx";
import { showToast } from "../../ui/toast.tsx";
import type { Installation } from "./installation.ts";

const words = text.installation;
/** The server takes no more (src/api/task-schema.ts). */
const answersLengthMax = 128 << 10;
const variables = answerVariables.map((variable) => `{{${variable}}}`).join(", ");

type InstallProps = {
  readonly installation: Installation;
  readonly onChange: (installation: Installation) => void;
};

/** What an installer reads instead of asking, and what is seldom said. */
export function InstallFields({ installation, onChange }: InstallProps): ReactNode {
  const { answersName, commandLine, domain, timeout } = installation;
  const set = (change: Partial<Installation>): void => onChange({ ...installation, ...change });
  return (
    <>
      <AnswersField value={installation.answers} onChange={(answers) => set({ answers })} />
      <TextField
        label={words.domain}
        hint={words.domainHint}
        placeholder="example.org"
        autoComplete="off"
        spellCheck={false}
        value={domain}
        onChange={(typed) => set({ domain: typed })}
      />
      <details className="job-times">
        <summary>{words.more}</summary>
        <div className="field-row">
          <TextField
            label={words.answersName}
            hint={words.answersNameHint}
            placeholder="preseed.cfg"
            className="mono"
            spellCheck={false}
            value={answersName}
            onChange={(typed) => set({ answersName: typed })}
          />
          <TextField
            label={words.timeout}
            hint={words.timeoutHint}
            placeholder="2 h"
            value={timeout}
            onChange={(typed) => set({ timeout: typed })}
          />
        </div>
        <TextField
          label={words.commandLine}
          hint={words.commandLineHint}
          className="mono"
          spellCheck={false}
          value={commandLine}
          onChange={(typed) => set({ commandLine: typed })}
        />
      </details>
    </>
  );
}

function AnswersField(props: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const { value, onChange } = props;
  const input = useRef<HTMLInputElement>(null);
  const load = async (file: File): Promise<void> => {
    const loaded = await file.text();
    if (loaded.length > answersLengthMax) {
      showToast({ kind: "failed", text: words.tooLong(file.name, answersLengthMax) });
    } else {
      onChange(loaded);
    }
  };
  return (
    <Field label={words.answers} hint={words.answersHint(variables)}>
      {(id, hint) => (
        <>
          <textarea
            id={id}
            aria-describedby={hint}
            className="answers"
            wrap="off"
            rows={8}
            maxLength={answersLengthMax}
            spellCheck={false}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <button type="button" className="button small" onClick={() => input.current?.click()}>
            {words.load}
          </button>
          <input
            ref={input}
            type="file"
            hidden
            aria-label={words.load}
            onChange={(event) => {
              const [file] = event.target.files ?? [];
              if (file !== undefined) {
                void load(file);
              }
              event.target.value = "";
            }}
          />
        </>
      )}
    </Field>
  );
}
