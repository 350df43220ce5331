import { type ReactNode, useState } from "react";
import type { RouteResponse } from "#api/contract.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { TextField } from "../ui/field.tsx";
import { Badge, Command, Failure, Loading } from "../ui/pieces.tsx";

const words = text.provider;

/** The organisation's login provider: whether it answers, what it must be told, and the secret that it gave this site. */
export function ProviderCard(): ReactNode {
  const provider = useApi("showProvider");
  return (
    <section className="card" aria-label={words.title}>
      {provider.data === undefined ? (
        <>
          <h2>{words.title}</h2>
          {provider.error === null ? <Loading what={words.loading} /> : <Failure error={provider.error} />}
        </>
      ) : (
        <Provider {...provider.data} />
      )}
    </section>
  );
}

function Provider(props: RouteResponse<"showProvider">): ReactNode {
  const { issuer, problem, hasSecret, redirectUris } = props;
  return (
    <>
      <div className="session-head">
        <h2>{words.title}</h2>
        {issuer === null ? (
          <Badge tone="calm">{words.none}</Badge>
        ) : (
          <Badge tone={problem === null ? "good" : "bad"}>
            {problem === null ? words.answers : words.fails}
          </Badge>
        )}
      </div>
      {issuer === null ? <p className="muted">{words.noneHint}</p> : <p className="mono">{issuer}</p>}
      {issuer === null || problem === null ? null : <p className="failure">{problem}</p>}
      {issuer === null || redirectUris.length === 0 ? null : (
        <>
          <h3>{words.redirects}</h3>
          {redirectUris.map((uri) => (
            <Command key={uri} value={uri} />
          ))}
        </>
      )}
      <SecretForm hasSecret={hasSecret} />
    </>
  );
}

/** Only ever written: what is kept never comes back to a browser. */
function SecretForm({ hasSecret }: { readonly hasSecret: boolean }): ReactNode {
  const [secret, setSecret] = useState("");
  const keep = useAction("setProviderSecret", { done: () => words.kept, isQuiet: true });
  const forget = useAction("setProviderSecret", { done: () => words.forgotten });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        keep.mutate({ body: { secret } }, { onSuccess: () => setSecret("") });
      }}
    >
      <TextField
        label={words.secret}
        hint={hasSecret ? words.hasSecret : words.hasNone}
        error={keep.error}
        type="password"
        autoComplete="off"
        maxLength={1024}
        required
        value={secret}
        onChange={setSecret}
      />
      <div className="form-actions">
        {hasSecret ? (
          <button
            type="button"
            className="button danger-text"
            disabled={forget.isPending}
            onClick={() => forget.mutate({ body: { secret: null } })}
          >
            {words.forget}
          </button>
        ) : null}
        <button type="submit" className="button" disabled={secret === "" || keep.isPending}>
          {hasSecret ? words.replace : words.keep}
        </button>
      </div>
    </form>
  );
}
