import { useMutation, type UseMutationResult, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { ApiFailure, call } from "../api/client.ts";
import { goToProvider, takeBinding } from "../api/login-provider.ts";
import { keepProof } from "../api/proof.ts";
import { canUseKeys, showKey } from "../api/security-key.ts";
import { useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { NewPasswordField, TextField } from "../ui/field.tsx";

/** Opens a session and goes where the visitor wanted to go. */
function useOpening(open: () => Promise<{ readonly proof: string }>) {
  const navigate = useNavigate();
  const client = useQueryClient();
  return useMutation({
    mutationFn: open,
    onSuccess: ({ proof }) => {
      keepProof(proof);
      client.clear();
      const next = new URLSearchParams(location.search).get("next");
      const isOurs = next !== null && /^\/(?!\/)/.test(next);
      return navigate({ to: isOurs ? next : "/" });
    },
  });
}

function Frame(props: {
  readonly title: string;
  readonly lead: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <main className="login">
      <div className="login-card">
        <img src="/compass.svg" alt="" width="48" height="48" />
        <h1>{props.title}</h1>
        <p>{props.lead}</p>
        {props.children}
      </div>
    </main>
  );
}

/** As the browser came here: the router writes the query anew, and what the login provider sent must stay as it is. */
const arrivedQuery = location.search.slice(1);
const secondFactorNeeded = "second-factor-needed";

function CodeField(props: {
  readonly value: string;
  readonly failure: Error | null;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const { failure } = props;
  const isAsked = failure instanceof ApiFailure && failure.code === secondFactorNeeded;
  return (
    <TextField
      label={text.secondFactor.loginCode}
      hint={text.secondFactor.loginHint}
      error={isAsked ? null : failure}
      value={props.value}
      autoComplete="one-time-code"
      autoFocus
      required
      onChange={props.onChange}
    />
  );
}

export function LoginPage(): ReactNode {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  // Asked for once the password is right; an answer about the code says that the password is.
  const [asksForCode, setAsksForCode] = useState(false);
  const opening = useOpening(async () => {
    try {
      return await call("login", { body: { name, password, ...(asksForCode ? { code } : {}) } });
    } catch (error) {
      setAsksForCode(
        (before) => before || (error instanceof ApiFailure && error.code === secondFactorNeeded),
      );
      throw error;
    }
  });
  const setup = useApi("showSetup");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    opening.mutate();
  };
  return (
    <Frame title={text.login.title} lead={text.login.lead}>
      {setup.data?.needsFirstUser === true ? <p className="note">{text.login.needsSetup}</p> : null}
      <form onSubmit={submit}>
        <TextField
          label={text.login.name}
          value={name}
          autoComplete="username"
          autoFocus
          required
          onChange={setName}
        />
        <TextField
          label={text.login.password}
          error={asksForCode ? null : opening.error}
          type="password"
          value={password}
          autoComplete="current-password"
          required
          onChange={setPassword}
        />
        {asksForCode ? <CodeField value={code} failure={opening.error} onChange={setCode} /> : null}
        <button type="submit" className="button primary wide" disabled={opening.isPending}>
          {opening.isPending ? text.login.opening : text.login.open}
        </button>
      </form>
      <OtherWays given={asksForCode ? { name, password } : null} />
    </Frame>
  );
}

/** A security key, and the login provider. @param given name and password, while a second factor is asked for */
function OtherWays(props: {
  readonly given: { readonly name: string; readonly password: string } | null;
}): ReactNode {
  const ways = useApi("showLogin");
  const title = ways.data?.providerTitle ?? null;
  // Without name and password, a passkey says whose it is.
  const byKey = useOpening(async () => {
    const options = await call("beginKeyLogin", { body: props.given ?? {} });
    return call("finishKeyLogin", { body: { credential: await showKey(options) } });
  });
  const leaving = useMutation({ mutationFn: () => goToProvider({ isFresh: false }) });
  const keyLabel = props.given === null ? text.securityKeys.logIn : text.securityKeys.use;
  return (
    <>
      {canUseKeys(ways.data?.keyHost ?? null) ? <OtherWay label={keyLabel} doing={byKey} /> : null}
      {title === null ? null : <OtherWay label={title} doing={leaving} />}
    </>
  );
}

/** Where the login provider sends the browser back to. */
export function ProviderPage(): ReactNode {
  const opening = useOpening(async () => {
    const bindingSecret = takeBinding();
    // The answer of the provider is good once; it does not stay in the address.
    history.replaceState(null, "", location.pathname);
    return call("finishProviderLogin", { body: { returnedSecret: arrivedQuery, bindingSecret } });
  });
  const { mutate } = opening;
  useEffect(() => mutate(), [mutate]);
  return (
    <Frame title={text.login.title} lead={opening.error === null ? text.login.waiting : text.login.notIn}>
      {opening.error === null ? null : (
        <>
          <p className="failure" role="alert">
            {opening.error.message}
          </p>
          <a className="button wide" href="/login">
            {text.login.back}
          </a>
        </>
      )}
    </Frame>
  );
}

/** A way in beside the form. */
function OtherWay(props: {
  readonly label: string;
  readonly doing: Pick<UseMutationResult<unknown, Error, void>, "error" | "isPending" | "mutate">;
}): ReactNode {
  const { error, isPending, mutate } = props.doing;
  return (
    <>
      <button type="button" className="button wide" disabled={isPending} onClick={() => mutate()}>
        {isPending ? text.login.waiting : props.label}
      </button>
      {error === null ? null : (
        <p className="failure" role="alert">
          {error.message}
        </p>
      )}
    </>
  );
}

export function SetupPage(): ReactNode {
  const [code, setCode] = useState(location.hash.slice(1));
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const opening = useOpening(() => call("createFirstUser", { body: { code, name, password } }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    opening.mutate();
  };
  return (
    <Frame title={text.setup.title} lead={text.setup.lead}>
      <form onSubmit={submit}>
        <TextField
          label={text.setup.code}
          hint={text.setup.codeHint}
          value={code}
          required
          autoComplete="off"
          onChange={setCode}
        />
        <TextField
          label={text.setup.name}
          hint={text.setup.nameHint}
          value={name}
          autoComplete="username"
          required
          pattern="[a-z0-9][a-z0-9._@\-]*"
          onChange={setName}
        />
        <NewPasswordField
          label={text.setup.password}
          error={opening.error}
          value={password}
          onChange={setPassword}
        />
        <button type="submit" className="button primary wide" disabled={opening.isPending}>
          {opening.isPending ? text.setup.making : text.setup.make}
        </button>
      </form>
    </Frame>
  );
}
