import { type ReactNode, useState } from "react";
import type { TokenResource, UserResource } from "#api/account-api.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Empty, Failure, Loading, PageHead, Time } from "../ui/pieces.tsx";
import { useMe } from "./me.tsx";
import { formatLimit } from "./people/limit-field.tsx";
import {
  LimitDialog,
  RemoveUserDialog,
  type RoleName,
  roleNames,
  SetPasswordDialog,
  TokenDialog,
  UserDialog,
} from "./people/people-dialogs.tsx";

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

type UserDialogName = "limit" | "password" | "remove";

const userDialogs = { limit: LimitDialog, password: SetPasswordDialog, remove: RemoveUserDialog } as const;

function UserTable({ users }: { readonly users: readonly UserResource[] }): ReactNode {
  const [opened, setOpened] = useState<{ name: UserDialogName; user: UserResource } | null>(null);
  const OpenedDialog = opened === null ? null : userDialogs[opened.name];
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{text.people.name}</th>
            <th scope="col">{text.people.role}</th>
            <th scope="col">{text.people.computers}</th>
            <th scope="col">{text.secondFactor.column}</th>
            <th scope="col">{text.people.lastLogin}</th>
            <th scope="col">{text.people.created}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <UserRow key={user.id} user={user} onOpen={(name) => setOpened({ name, user })} />
          ))}
        </tbody>
      </table>
      {opened === null || OpenedDialog === null ? null : (
        <OpenedDialog user={opened.user} onClose={() => setOpened(null)} />
      )}
    </>
  );
}

function UserRow(props: {
  readonly user: UserResource;
  readonly onOpen: (name: UserDialogName) => void;
}): ReactNode {
  const { user, onOpen } = props;
  const me = useMe();
  const setRole = useAction("setUserRole", { done: ({ name, role }) => `${name}: ${text.roles[role]}` });
  return (
    <tr>
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
        {formatLimit(user.groups)}{" "}
        <button
          type="button"
          className="button small"
          aria-label={text.people.changeComputers(user.name)}
          onClick={() => onOpen("limit")}
        >
          {text.people.change}
        </button>
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
        <button
          type="button"
          className="button small"
          disabled={!user.hasPassword}
          onClick={() => onOpen("password")}
        >
          {text.people.setPassword}
        </button>
        <button
          type="button"
          className="button small danger-text"
          aria-label={text.people.removeUser(user.name)}
          disabled={user.name === me.name}
          onClick={() => onOpen("remove")}
        >
          {text.common.remove}
        </button>
      </td>
    </tr>
  );
}

function SecondFactorCell({ user }: { readonly user: UserResource }): ReactNode {
  const reset = useAction("resetSecondFactor", {
    done: () => text.secondFactor.wasReset(user.name),
  });
  if (!user.hasPassword) {
    return text.secondFactor.ofProvider;
  }
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
          <th scope="col">{text.people.computers}</th>
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
            <td>{formatLimit(token.groups)}</td>
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
