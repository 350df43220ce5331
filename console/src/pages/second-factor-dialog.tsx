import { lazy, type ReactNode, Suspense, useState } from "react";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { CopyText, Failure, Loading } from "../ui/pieces.tsx";

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
      action={{
        label: text.secondFactor.begin,
        run: () => {
          onBegin();
          begin.mutate({ body: { password } });
        },
        isOff: begin.isPending,
      }}
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
      action={{
        label: text.secondFactor.confirm,
        run: () => confirm.mutate({ body: { code } }),
        isOff: confirm.isPending,
      }}
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
      action={{
        label: text.secondFactor.remove,
        run: () => remove.mutate({ body: { password, code } }, { onSuccess: onClose }),
        isOff: remove.isPending,
        isDangerous: true,
      }}
    >
      <p>
        {text.secondFactor.since} {text.secondFactor.codesLeft(codesLeft)}
      </p>
      <PasswordField value={password} error={remove.error} onChange={setPassword} />
      <CodeField value={code} error={null} onChange={setCode} />
    </Dialog>
  );
}

type SecretFieldProps = {
  readonly value: string;
  readonly error: Error | null;
  readonly onChange: (value: string) => void;
};

function PasswordField(props: SecretFieldProps): ReactNode {
  return (
    <TextField
      label={text.secondFactor.password}
      type="password"
      autoComplete="current-password"
      required
      {...props}
    />
  );
}

function CodeField(props: SecretFieldProps): ReactNode {
  return <TextField label={text.secondFactor.code} autoComplete="one-time-code" required {...props} />;
}
