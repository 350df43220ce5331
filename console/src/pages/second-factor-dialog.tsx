import { lazy, type ReactNode, Suspense, useState } from "react";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { CopyText, Failure, Field, Loading } from "../ui/pieces.tsx";

const QrCode = lazy(async () => ({ default: (await import("../ui/qr-code.tsx")).QrCode }));

type CloseProps = { readonly onClose: () => void };

/** Adds an authenticator to one's own account, or takes it off. */
export function SecondFactorDialog({ onClose }: CloseProps): ReactNode {
  const state = useApi("showMySecondFactor");
  // Kept while the recovery codes are shown: the account has its authenticator by then.
  const [isAdding, setAdding] = useState(false);
  if (state.data === undefined) {
    return (
      <Dialog title={text.secondFactor.title} onClose={onClose}>
        {state.error === null ? (
          <Loading what={text.secondFactor.reading} />
        ) : (
          <Failure error={state.error} />
        )}
      </Dialog>
    );
  }
  return state.data.authenticatorSince === null || isAdding ? (
    <AddDialog onClose={onClose} onBegin={() => setAdding(true)} />
  ) : (
    <RemoveDialog codesLeft={state.data.recoveryCodesLeft} onClose={onClose} />
  );
}

function AddDialog({ onClose, onBegin }: CloseProps & { readonly onBegin: () => void }): ReactNode {
  const [password, setPassword] = useState("");
  const begin = useAction("beginMyAuthenticator", { isQuiet: true });
  if (begin.data !== undefined) {
    return <ConfirmDialog {...begin.data} onClose={onClose} />;
  }
  return (
    <Dialog
      title={text.secondFactor.title}
      onClose={onClose}
      onSubmit={() => {
        onBegin();
        begin.mutate({ body: { password } });
      }}
      actions={
        <button type="submit" className="button primary" disabled={begin.isPending}>
          {text.secondFactor.begin}
        </button>
      }
    >
      <p>{text.secondFactor.none}</p>
      <PasswordField value={password} error={begin.error} onChange={setPassword} />
    </Dialog>
  );
}

function ConfirmDialog(props: CloseProps & { readonly secret: string; readonly uri: string }): ReactNode {
  const { secret, uri, onClose } = props;
  const [code, setCode] = useState("");
  const confirm = useAction("confirmMyAuthenticator", { done: () => text.secondFactor.done, isQuiet: true });
  if (confirm.data !== undefined) {
    const codes = confirm.data.recoveryCodes.join("\n");
    return (
      <Dialog title={text.secondFactor.title} onClose={onClose}>
        <p>{text.secondFactor.keep}</p>
        <pre className="code">{codes}</pre>
        <CopyText value={codes} label={text.common.copy} />
      </Dialog>
    );
  }
  return (
    <Dialog
      title={text.secondFactor.title}
      onClose={onClose}
      onSubmit={() => confirm.mutate({ body: { code } })}
      actions={
        <button type="submit" className="button primary" disabled={confirm.isPending}>
          {text.secondFactor.confirm}
        </button>
      }
    >
      <p>{text.secondFactor.scan}</p>
      <Suspense fallback={<Loading what={text.secondFactor.picture} />}>
        <QrCode value={uri} label={text.secondFactor.picture} />
      </Suspense>
      <p>{text.secondFactor.secret}</p>
      <pre className="code">{secret}</pre>
      <CodeField value={code} error={confirm.error} onChange={setCode} />
    </Dialog>
  );
}

function RemoveDialog({ codesLeft, onClose }: CloseProps & { readonly codesLeft: number }): ReactNode {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const remove = useAction("removeMyAuthenticator", { done: () => text.secondFactor.removed, isQuiet: true });
  return (
    <Dialog
      title={text.secondFactor.title}
      onClose={onClose}
      onSubmit={() => remove.mutate({ body: { password, code } }, { onSuccess: onClose })}
      actions={
        <button type="submit" className="button danger" disabled={remove.isPending}>
          {text.secondFactor.remove}
        </button>
      }
    >
      <p>
        {text.secondFactor.since} {text.secondFactor.codesLeft(codesLeft)}
      </p>
      <PasswordField value={password} error={remove.error} onChange={setPassword} />
      <CodeField value={code} error={null} onChange={setCode} />
    </Dialog>
  );
}

type TextFieldProps = {
  readonly value: string;
  readonly error: Error | null;
  readonly onChange: (value: string) => void;
};

function PasswordField({ value, error, onChange }: TextFieldProps): ReactNode {
  return (
    <Field label={text.secondFactor.password} error={error?.message ?? null}>
      {(id, hint) => (
        <input
          id={id}
          aria-describedby={hint}
          type="password"
          autoComplete="current-password"
          required
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

function CodeField({ value, error, onChange }: TextFieldProps): ReactNode {
  return (
    <Field label={text.secondFactor.code} error={error?.message ?? null}>
      {(id, hint) => (
        <input
          id={id}
          aria-describedby={hint}
          autoComplete="one-time-code"
          required
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
