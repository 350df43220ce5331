import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { ApiFailure, call } from "../api/client.ts";
import { keepProof } from "../api/proof.ts";
import { useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Field } from "../ui/pieces.tsx";

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

const secondFactorNeeded = "second-factor-needed";

function CodeField(props: {
  readonly value: string;
  readonly failure: Error | null;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const { failure } = props;
  const isAsked = failure instanceof ApiFailure && failure.code === secondFactorNeeded;
  return (
    <Field
      label={text.secondFactor.loginCode}
      hint={text.secondFactor.loginHint}
      error={failure === null || isAsked ? null : failure.message}
    >
      {(id, hint) => (
        <input
          id={id}
          aria-describedby={hint}
          value={props.value}
          autoComplete="one-time-code"
          autoFocus
          required
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
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
  const failure = opening.error?.message ?? null;
  const setup = useApi("showSetup");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    opening.mutate();
  };
  return (
    <Frame title={text.login.title} lead={text.login.lead}>
      {setup.data?.needsFirstUser === true ? <p className="note">{text.login.needsSetup}</p> : null}
      <form onSubmit={submit}>
        <Field label={text.login.name}>
          {(id) => (
            <input
              id={id}
              value={name}
              autoComplete="username"
              autoFocus
              required
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={text.login.password} error={asksForCode ? null : failure}>
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              type="password"
              value={password}
              autoComplete="current-password"
              required
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        {asksForCode ? <CodeField value={code} failure={opening.error} onChange={setCode} /> : null}
        <button type="submit" className="button primary wide" disabled={opening.isPending}>
          {opening.isPending ? text.login.opening : text.login.open}
        </button>
      </form>
    </Frame>
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
        <Field label={text.setup.code} hint={text.setup.codeHint}>
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              value={code}
              required
              autoComplete="off"
              onChange={(event) => setCode(event.target.value)}
            />
          )}
        </Field>
        <Field label={text.setup.name} hint={text.setup.nameHint}>
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              value={name}
              autoComplete="username"
              required
              pattern="[a-z0-9][a-z0-9._@\-]*"
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field
          label={text.setup.password}
          hint={text.setup.passwordHint}
          error={opening.error?.message ?? null}
        >
          {(id, hint) => (
            <input
              id={id}
              aria-describedby={hint}
              type="password"
              minLength={10}
              value={password}
              autoComplete="new-password"
              required
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <button type="submit" className="button primary wide" disabled={opening.isPending}>
          {opening.isPending ? text.setup.making : text.setup.make}
        </button>
      </form>
    </Frame>
  );
}
