import { type ReactNode, useState } from "react";
import type { RouteBody } from "#api/contract.ts";
import type { ComputerResource } from "#api/computer-api.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { ChoiceField, TextField } from "../ui/field.tsx";
import { showToast } from "../ui/toast.tsx";

type Change = RouteBody<"changeAgentSettings">["change"];
type Key = keyof typeof text.agent.fields;

const keys = Object.keys(text.agent.fields) as Key[];
const numbers: readonly Key[] = ["controlPort", "discoveryPort", "discoveryTtl"];
const switches: readonly Key[] = ["discovery", "remoteNotice"];
const returnChoicesMs = [30_000, 120_000, 600_000] as const;

/** Only what was written; everything else stays as it is at each agent. */
function toChange(drafts: Readonly<Record<string, string>>): Change {
  const entries = keys.flatMap((key): [string, unknown][] => {
    const draft = drafts[key]?.trim() ?? "";
    if (draft === "") {
      return [];
    }
    return [[key, switches.includes(key) ? draft === "on" : numbers.includes(key) ? Number(draft) : draft]];
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
      action={{
        label: text.agent.send(computers.length),
        run: send,
        isOff: Object.keys(change).length === 0 || action.isPending,
      }}
    >
      <p className="muted">{text.agent.lead}</p>
      <div className="field-row pairs">
        {keys.map((key) => (
          <SettingRow
            key={key}
            name={key}
            value={drafts[key] ?? ""}
            known={isOne ? (known.data?.settings?.[key] ?? null) : null}
            onChange={draft(key)}
          />
        ))}
      </div>
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
      <TextField
        label={text.agent.lockPassword}
        hint={text.agent.lockHint}
        type="password"
        autoComplete="new-password"
        minLength={4}
        value={lock}
        onChange={onLock}
      />
      <ChoiceField
        label={text.agent.returnAfter}
        value={String(returnAfterMs)}
        choices={returnChoicesMs.map((choice) => [String(choice), text.agent.seconds(choice / 1000)])}
        onChange={(choice) => setReturnAfterMs(Number(choice))}
      />
    </>
  );
}

/** A value in words. */
export function showSetting(name: string, value: string | number | boolean): string {
  return typeof value === "boolean"
    ? text.agent[value ? "on" : "off"]
    : name === "remoteControl"
      ? (text.agent.remoteAnswers[String(value)] ?? String(value))
      : String(value);
}

/** `null`: it is typed. */
function choicesOf(name: Key): readonly (readonly [string, string])[] | null {
  return name === "remoteControl"
    ? Object.entries(text.agent.remoteAnswers)
    : switches.includes(name)
      ? [
          ["on", text.agent.on],
          ["off", text.agent.off],
        ]
      : null;
}

function SettingRow(props: {
  readonly name: Key;
  readonly value: string;
  readonly known: string | number | boolean | null;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const { name, value, known, onChange } = props;
  const shown = known === null ? null : showSetting(name, known);
  const label = text.agent.fields[name];
  const choices = choicesOf(name);
  return choices !== null ? (
    <ChoiceField
      label={label}
      value={value}
      choices={[["", shown === null ? text.agent.asItIs : `${text.agent.asItIs} (${shown})`], ...choices]}
      onChange={onChange}
    />
  ) : (
    <TextField
      label={label}
      value={value}
      placeholder={shown ?? text.agent.asItIs}
      inputMode={numbers.includes(name) ? "numeric" : "text"}
      spellCheck={false}
      onChange={onChange}
    />
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
