import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { SecondFactorResource, SecurityKeyResource } from "#api/second-factor-api.ts";
import { call } from "../api/client.ts";
import { addKey, canUseKeys } from "../api/security-key.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { CopyText, Failure, Loading, Time } from "../ui/pieces.tsx";

/** The security keys and passkeys of one's own account. */
export function SecurityKeysDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const state = useApi("showMySecondFactor");
  const [codes, setCodes] = useState<readonly string[]>([]);
  if (state.data !== undefined && codes.length === 0) {
    return <KeysDialog state={state.data} onCodes={setCodes} onClose={onClose} />;
  }
  return (
    <Dialog title={text.securityKeys.title} onClose={onClose}>
      {codes.length > 0 ? <RecoveryCodes codes={codes} /> : null}
      {state.data === undefined && state.error === null ? <Loading what={text.securityKeys.reading} /> : null}
      {state.error === null ? null : <Failure error={state.error} />}
    </Dialog>
  );
}

function useAdding(password: string, name: string, onAdded: (recoveryCodes: readonly string[]) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      const credential = await addKey(await call("beginMySecurityKey", { body: { password } }));
      return call("addMySecurityKey", { body: { name, credential } });
    },
    onSuccess: ({ recoveryCodes }) => {
      onAdded(recoveryCodes);
      return client.invalidateQueries({ queryKey: ["showMySecondFactor"] });
    },
  });
}

function KeysDialog(props: {
  readonly state: SecondFactorResource;
  readonly onCodes: (codes: readonly string[]) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { keyHost, securityKeys } = props.state;
  const [password, setPassword] = useState("");
  const [name, setName] = useState("");
  const adding = useAdding(password, name, (recoveryCodes) => {
    setName("");
    props.onCodes(recoveryCodes);
  });
  const removing = useAction("removeMySecurityKey", { done: () => text.securityKeys.removed, isQuiet: true });
  const isUsable = canUseKeys(keyHost);
  return (
    <Dialog
      title={text.securityKeys.title}
      onClose={props.onClose}
      error={adding.error ?? removing.error}
      {...(isUsable
        ? {
            action: {
              label: text.securityKeys.add,
              run: () => {
                removing.reset();
                adding.mutate();
              },
              isOff: adding.isPending,
            },
          }
        : {})}
    >
      <p>{isUsable ? text.securityKeys.lead : text.securityKeys.notHere(keyHost)}</p>
      <KeyList
        keys={securityKeys}
        onRemove={(id) => {
          adding.reset();
          removing.mutate({ id, body: { password } });
        }}
      />
      {isUsable ? (
        <TextField
          label={text.securityKeys.name}
          hint={text.securityKeys.nameHint}
          value={name}
          maxLength={64}
          required
          onChange={setName}
        />
      ) : null}
      {isUsable || securityKeys.length > 0 ? (
        <TextField
          label={text.secondFactor.password}
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={setPassword}
        />
      ) : null}
    </Dialog>
  );
}

function KeyList(props: {
  readonly keys: readonly SecurityKeyResource[];
  readonly onRemove: (id: string) => void;
}): ReactNode {
  if (props.keys.length === 0) {
    return <p className="muted">{text.securityKeys.none}</p>;
  }
  return (
    <ul className="key-list">
      {props.keys.map((key) => (
        <li key={key.id}>
          <strong>{key.name}</strong>
          <span className="muted">
            {key.host} · {key.lastUsedAt === null ? text.securityKeys.neverUsed : text.securityKeys.lastUsed}{" "}
            <Time at={key.lastUsedAt} empty="" />
          </span>
          <button
            type="button"
            className="button small"
            aria-label={text.securityKeys.removeOf(key.name)}
            onClick={() => props.onRemove(key.id)}
          >
            {text.securityKeys.remove}
          </button>
        </li>
      ))}
    </ul>
  );
}

function RecoveryCodes({ codes }: { readonly codes: readonly string[] }): ReactNode {
  return (
    <>
      <p>{text.securityKeys.keep}</p>
      <pre className="code">{codes.join("\n")}</pre>
      <CopyText value={codes.join("\n")} label={text.common.copy} />
    </>
  );
}
