import { type ReactNode, useState } from "react";
import type { TokenResource, UserResource } from "#api/account-api.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { CopyText, Empty, Failure, Field, Loading, PageHead, Time } from "../ui/pieces.tsx";
import { useMe } from "./me.tsx";

const roleNames = ["viewer", "operator", "administrator"] as const;
type RoleName = (typeof roleNames)[number];

/** Accounts of people and tokens of programs. */
export function PeoplePage(): ReactNode {
  const users = useApi("listUsers");
  const tokens = useApi("listTokens");
  const [opened, setOpened] = useState<"user" | "token" | null>(null);
  if (users.data === undefined || tokens.data === undefined) {
    const error = users.error ?? tokens.error;
    return error === null ? <Loading what={text.people.loading} /> : <Failure error={error} />;
  }
  return (
    <main className="page">
      <PageHead title={text.people.title} lead={text.people.lead}>
        <button type="button" className="button" onClick={() => setOpened("token")}>
          {text.people.addToken}
        </button>
        <button type="button" className="button primary" onClick={() => setOpened("user")}>
          {text.people.add}
        </button>
      </PageHead>
      <section className="card">
        <h2>{text.people.users}</h2>
        <UserTable users={users.data} />
      </section>
      <section className="card">
        <h2>{text.people.tokens}</h2>
        {tokens.data.length === 0 ? (
          <Empty icon="shield" title={text.people.noTokens}>
            {text.people.tokenHint}
          </Empty>
        ) : (
          <TokenTable tokens={tokens.data} />
        )}
      </section>
      {opened === "user" ? <UserDialog onClose={() => setOpened(null)} /> : null}
      {opened === "token" ? <TokenDialog onClose={() => setOpened(null)} /> : null}
    </main>
  );
}

function UserTable({ users }: { readonly users: readonly UserResource[] }): ReactNode {
  const me = useMe();
  const setRole = useAction("setUserRole", { done: ({ name, role }) => `${name}: ${text.roles[role]}` });
  const [removing, setRemoving] = useState<UserResource | null>(null);
  const [changing, setChanging] = useState<UserResource | null>(null);
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{text.people.name}</th>
            <th scope="col">{text.people.role}</th>
            <th scope="col">{text.secondFactor.column}</th>
            <th scope="col">{text.people.lastLogin}</th>
            <th scope="col">{text.people.created}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.id}>
              <th scope="row">{user.name}</th>
              <td>
                <select
                  aria-label={`${text.people.role}: ${user.name}`}
                  value={user.role}
                  onChange={(event) =>
                    setRole.mutate({ id: user.id, body: { role: event.target.value as RoleName } })
                  }
                >
                  {roleNames.map((role) => (
                    <option key={role} value={role}>
                      {text.roles[role]}
                    </option>
                  ))}
                </select>
              </td>
              <td>
                <SecondFactorCell user={user} />
              </td>
              <td>
                <Time at={user.lastLoginAt} />
              </td>
              <td>
                <Time at={user.createdAt} />
              </td>
              <td className="row-actions">
                <button type="button" className="button small" onClick={() => setChanging(user)}>
                  {text.people.setPassword}
                </button>
                <button
                  type="button"
                  className="button small danger-text"
                  aria-label={text.people.removeUser(user.name)}
                  disabled={user.name === me.name}
                  onClick={() => setRemoving(user)}
                >
                  {text.common.remove}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {removing === null ? null : <RemoveDialog user={removing} onClose={() => setRemoving(null)} />}
      {changing === null ? null : <SetPasswordDialog user={changing} onClose={() => setChanging(null)} />}
    </>
  );
}

function SecondFactorCell({ user }: { readonly user: UserResource }): ReactNode {
  const reset = useAction("resetSecondFactor", {
    done: () => text.secondFactor.wasReset(user.name),
  });
  if (!user.hasSecondFactor) {
    return text.secondFactor.hasNone;
  }
  return (
    <>
      {text.secondFactor.has}{" "}
      <button
        type="button"
        className="button small"
        aria-label={text.secondFactor.resetOf(user.name)}
        onClick={() => reset.mutate({ id: user.id })}
      >
        {text.secondFactor.reset}
      </button>
    </>
  );
}

function TokenTable({ tokens }: { readonly tokens: readonly TokenResource[] }): ReactNode {
  const revoke = useAction("revokeToken", { done: () => text.people.revoked });
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{text.people.name}</th>
          <th scope="col">{text.people.role}</th>
          <th scope="col">{text.people.expires}</th>
          <th scope="col">{text.people.lastUsed}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <tr key={token.id}>
            <th scope="row">{token.name}</th>
            <td>
              {text.roles[token.role]}
              {token.allowsFleetWork ? <small className="muted"> · {text.people.fleet}</small> : null}
            </td>
            <td>
              <Time at={token.expiresAt} />
            </td>
            <td>
              <Time at={token.lastUsedAt} />
            </td>
            <td className="row-actions">
              <button
                type="button"
                className="button small danger-text"
                aria-label={text.people.revoke(token.name)}
                onClick={() => revoke.mutate({ id: token.id })}
              >
                {text.common.remove}
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function RoleField(props: {
  readonly role: RoleName;
  readonly onChange: (role: RoleName) => void;
}): ReactNode {
  return (
    <Field label={text.people.role}>
      {(id) => (
        <select
          id={id}
          value={props.role}
          onChange={(event) => props.onChange(event.target.value as RoleName)}
        >
          {roleNames.map((role) => (
            <option key={role} value={role}>
              {text.roles[role]}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function UserDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [name, setName] = useState("");
  const [role, setRole] = useState<RoleName>("viewer");
  const [password, setPassword] = useState("");
  const create = useAction("createUser", { done: (user) => text.people.added(user.name), isQuiet: true });
  return (
    <Dialog
      title={text.people.add}
      onClose={onClose}
      onSubmit={() => create.mutate({ body: { name, role, password } }, { onSuccess: onClose })}
      actions={
        <button type="submit" className="button primary" disabled={create.isPending}>
          {text.people.add}
        </button>
      }
    >
      <Field label={text.people.name} hint={text.setup.nameHint} error={create.error?.message ?? null}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <RoleField role={role} onChange={setRole} />
      <Field label={text.people.password} hint={text.setup.passwordHint}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            type="password"
            autoComplete="new-password"
            required
            minLength={10}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}

function TokenDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [name, setName] = useState("");
  const [role, setRole] = useState<RoleName>("viewer");
  const [days, setDays] = useState(90);
  const [allowsFleetWork, setFleet] = useState(false);
  const create = useAction("createToken", { isQuiet: true });
  const secret = create.data?.secret ?? null;
  if (secret !== null) {
    return (
      <Dialog title={text.people.addToken} onClose={onClose}>
        <p>{text.people.tokenSecret}</p>
        <pre className="code">{secret}</pre>
        <CopyText value={secret} label={text.common.copy} />
      </Dialog>
    );
  }
  return (
    <Dialog
      title={text.people.addToken}
      onClose={onClose}
      onSubmit={() => create.mutate({ body: { name, role, lifetimeDays: days, allowsFleetWork } })}
      actions={
        <button type="submit" className="button primary" disabled={create.isPending}>
          {text.people.addToken}
        </button>
      }
    >
      <Field label={text.people.name} hint={text.people.tokenHint} error={create.error?.message ?? null}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            required
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <RoleField role={role} onChange={setRole} />
      <Field label={text.people.lifetime}>
        {(id) => (
          <input
            id={id}
            type="number"
            min={1}
            max={3650}
            value={days}
            onChange={(event) => setDays(event.target.valueAsNumber)}
          />
        )}
      </Field>
      <label className="choice">
        <input
          type="checkbox"
          checked={allowsFleetWork}
          onChange={(event) => setFleet(event.target.checked)}
        />
        <span>{text.people.fleet}</span>
      </label>
    </Dialog>
  );
}

function RemoveDialog({
  user,
  onClose,
}: {
  readonly user: UserResource;
  readonly onClose: () => void;
}): ReactNode {
  const remove = useAction("removeUser");
  return (
    <Dialog
      title={text.people.removeUser(user.name)}
      onClose={onClose}
      onSubmit={() => remove.mutate({ id: user.id }, { onSettled: onClose })}
      actions={
        <button type="submit" className="button danger" disabled={remove.isPending}>
          {text.common.remove}
        </button>
      }
    >
      <p>{text.people.removeWarning}</p>
    </Dialog>
  );
}

function SetPasswordDialog({
  user,
  onClose,
}: {
  readonly user: UserResource;
  readonly onClose: () => void;
}): ReactNode {
  const [password, setPassword] = useState("");
  const set = useAction("setUserPassword", { done: () => text.people.passwordChanged, isQuiet: true });
  return (
    <Dialog
      title={`${text.people.newPassword}: ${user.name}`}
      onClose={onClose}
      onSubmit={() => set.mutate({ id: user.id, body: { password } }, { onSuccess: onClose })}
      actions={
        <button type="submit" className="button primary" disabled={set.isPending}>
          {text.people.change}
        </button>
      }
    >
      <Field
        label={text.people.newPassword}
        hint={text.setup.passwordHint}
        error={set.error?.message ?? null}
      >
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            type="password"
            autoComplete="new-password"
            required
            minLength={10}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}
