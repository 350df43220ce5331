import { type ReactNode, useState } from "react";
import type { RouteBody } from "#api/contract.ts";
import type { ComputerResource } from "#api/computer-api.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/pieces.tsx";
import { showToast } from "../ui/toast.tsx";

type Change = RouteBody<"changeAgentSettings">["change"];
type Key = keyof typeof text.agent.fields;

const keys = Object.keys(text.agent.fields) as Key[];
const numbers: readonly Key[] = ["controlPort", "discoveryPort", "discoveryTtl"];
const returnChoicesMs = [30_000, 120_000, 600_000] as const;

/** Only what was written; everything else stays as it is at each agent. */
function toChange(drafts: Readonly<Record<string, string>>): Change {
  const entries = keys.flatMap((key): [string, unknown][] => {
    const draft = drafts[key]?.trim() ?? "";
    if (draft === "") {
      return [];
    }
    return [[key, key === "discovery" ? draft === "on" : numbers.includes(key) ? Number(draft) : draft]];
  });
  const lock = drafts["lockPassword"] ?? "";
  return Object.fromEntries(lock === "" ? entries : [...entries, ["lockPassword", lock]]) as Change;
}

/** Changes what one or many agents run with. */
export function AgentSettingsDialog(props: {
  readonly computers: readonly ComputerResource[];
  readonly onClose: () => void;
}): ReactNode {
  const { computers, onClose } = props;
  const [first] = computers;
  const isOne = computers.length === 1 && first !== undefined;
  const known = useApi("showAgentSettings", { id: first?.id ?? "", isEnabled: isOne });
  const [drafts, setDrafts] = useState<Readonly<Record<string, string>>>({});
  const [returnAfterMs, setReturnAfterMs] = useState<number>(120_000);
  const [unsent, setUnsent] = useState<readonly string[]>([]);
  const action = useAction("changeAgentSettings", { isQuiet: true });
  const change = toChange(drafts);
  const draft = (key: string) => (value: string) => setDrafts((all) => ({ ...all, [key]: value }));
  const send = (): void =>
    action.mutate(
      { body: { computers: computers.map(({ id }) => id), change, returnAfterMs } },
      {
        onSuccess: (outcomes) => {
          const failed = outcomes.filter(({ changeId }) => changeId === null);
          if (failed.length < outcomes.length) {
            showToast({ kind: "done", text: text.agent.sent(outcomes.length - failed.length) });
          }
          setUnsent(failed.map(({ name, reason }) => `${name}: ${reason ?? ""}`));
          if (failed.length === 0) {
            onClose();
          }
        },
      },
    );
  return (
    <Dialog
      title={text.agent.title(computers.length)}
      onClose={onClose}
      onSubmit={send}
      actions={
        <button
          type="submit"
          className="button primary"
          disabled={Object.keys(change).length === 0 || action.isPending}
        >
          {text.agent.send(computers.length)}
        </button>
      }
    >
      <p className="muted">{text.agent.lead}</p>
      {keys.map((key) => (
        <SettingRow
          key={key}
          name={key}
          value={drafts[key] ?? ""}
          known={isOne ? (known.data?.settings?.[key] ?? null) : null}
          onChange={draft(key)}
        />
      ))}
      <SafetyFields
        lock={drafts["lockPassword"] ?? ""}
        onLock={draft("lockPassword")}
        {...{ returnAfterMs, setReturnAfterMs }}
      />
      <Unsent reasons={action.error === null ? unsent : [action.error.message]} />
    </Dialog>
  );
}

function SafetyFields(props: {
  readonly lock: string;
  readonly onLock: (lock: string) => void;
  readonly returnAfterMs: number;
  readonly setReturnAfterMs: (returnAfterMs: number) => void;
}): ReactNode {
  const { lock, onLock, returnAfterMs, setReturnAfterMs } = props;
  return (
    <>
      <Field label={text.agent.lockPassword} hint={text.agent.lockHint}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            type="password"
            autoComplete="new-password"
            minLength={4}
            value={lock}
            onChange={(event) => onLock(event.target.value)}
          />
        )}
      </Field>
      <Field label={text.agent.returnAfter}>
        {(id) => (
          <select
            id={id}
            value={returnAfterMs}
            onChange={(event) => setReturnAfterMs(Number(event.target.value))}
          >
            {returnChoicesMs.map((choice) => (
              <option key={choice} value={choice}>
                {text.agent.seconds(choice / 1000)}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}

function SettingRow(props: {
  readonly name: Key;
  readonly value: string;
  readonly known: string | number | boolean | null;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const { name, value, known, onChange } = props;
  const shown = typeof known === "boolean" ? (known ? text.agent.on : text.agent.off) : known;
  return (
    <Field label={text.agent.fields[name]}>
      {(id) =>
        name === "discovery" ? (
          <select id={id} value={value} onChange={(event) => onChange(event.target.value)}>
            <option value="">{shown === null ? text.agent.asItIs : `${text.agent.asItIs} (${shown})`}</option>
            <option value="on">{text.agent.on}</option>
            <option value="off">{text.agent.off}</option>
          </select>
        ) : (
          <input
            id={id}
            value={value}
            placeholder={shown === null ? text.agent.asItIs : String(shown)}
            inputMode={numbers.includes(name) ? "numeric" : "text"}
            spellCheck={false}
            onChange={(event) => onChange(event.target.value)}
          />
        )
      }
    </Field>
  );
}

function Unsent({ reasons }: { readonly reasons: readonly string[] }): ReactNode {
  return reasons.length === 0 ? null : (
    <div className="failure" role="alert">
      <strong>{text.agent.notSent}</strong>
      <ul>
        {reasons.slice(0, 20).map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
  );
}
