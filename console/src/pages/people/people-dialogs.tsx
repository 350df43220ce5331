import { type ReactNode, useState } from "react";
import type { UserResource } from "#api/account-api.ts";
import { useAction } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { ChoiceField, NewPasswordField, TextField } from "../../ui/field.tsx";
import { CopyText } from "../../ui/pieces.tsx";
import { formatLimit, isChosen, type Limit, LimitField } from "./limit-field.tsx";

export const roleNames = ["viewer", "operator", "administrator"] as const;
export type RoleName = (typeof roleNames)[number];

type CloseProps = { readonly onClose: () => void };
type UserProps = CloseProps & { readonly user: UserResource };

function RoleField(props: {
  readonly role: RoleName;
  readonly onChange: (role: RoleName) => void;
}): ReactNode {
  return (
    <ChoiceField
      label={text.people.role}
      value={props.role}
      choices={roleNames.map((role) => [role, text.roles[role]])}
      onChange={props.onChange}
    />
  );
}

export function UserDialog({ onClose }: CloseProps): ReactNode {
  const [name, setName] = useState("");
  const [role, setRole] = useState<RoleName>("viewer");
  const [groups, setGroups] = useState<Limit>(null);
  const [password, setPassword] = useState("");
  const create = useAction("createUser", { done: (user) => text.people.added(user.name), isQuiet: true });
  return (
    <Dialog
      title={text.people.add}
      onClose={onClose}
      action={{
        label: text.people.add,
        run: () =>
          create.mutate(
            { body: { name, role, password, groups: groups === null ? null : [...groups] } },
            { onSuccess: onClose },
          ),
        isOff: create.isPending || !isChosen(groups),
      }}
    >
      <TextField
        label={text.people.name}
        hint={text.setup.nameHint}
        error={create.error}
        required
        value={name}
        onChange={setName}
      />
      <RoleField role={role} onChange={setRole} />
      <LimitField limit={groups} onChange={setGroups} />
      <NewPasswordField label={text.people.password} value={password} onChange={setPassword} />
    </Dialog>
  );
}

/** Makes a token, and shows its secret the one time it can be seen. */
export function TokenDialog({ onClose }: CloseProps): ReactNode {
  const [name, setName] = useState("");
  const [role, setRole] = useState<RoleName>("viewer");
  const [groups, setGroups] = useState<Limit>(null);
  const [days, setDays] = useState("90");
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
      action={{
        label: text.people.addToken,
        run: () =>
          create.mutate({
            body: {
              ...{ name, role, lifetimeDays: Number(days), allowsFleetWork },
              groups: groups === null ? null : [...groups],
            },
          }),
        isOff: create.isPending || !isChosen(groups),
      }}
    >
      <TextField
        label={text.people.name}
        hint={text.people.tokenHint}
        error={create.error}
        required
        value={name}
        onChange={setName}
      />
      <RoleField role={role} onChange={setRole} />
      <LimitField limit={groups} onChange={setGroups} />
      <TextField
        label={text.people.lifetime}
        type="number"
        required
        min={1}
        max={3650}
        value={days}
        onChange={setDays}
      />
      <label className="choice">
        <input
          type="checkbox"
          checked={allowsFleetWork}
          onChange={(event) => setFleet(event.target.checked)}
        />
        <span>{text.people.allowFleet}</span>
      </label>
    </Dialog>
  );
}

/** Which computers an account sees and touches. */
export function LimitDialog({ user, onClose }: UserProps): ReactNode {
  const [groups, setGroups] = useState<Limit>(user.groups?.map(({ id }) => id) ?? null);
  const set = useAction("setUserGroups", {
    done: (changed) => text.people.limited(changed.name, formatLimit(changed.groups)),
    isQuiet: true,
  });
  return (
    <Dialog
      title={text.people.computersOf(user.name)}
      onClose={onClose}
      action={{
        label: text.people.change,
        run: () =>
          set.mutate(
            { id: user.id, body: { groups: groups === null ? null : [...groups] } },
            { onSuccess: onClose },
          ),
        isOff: set.isPending || !isChosen(groups),
      }}
      error={set.error}
    >
      <p>{text.people.limitHint}</p>
      <LimitField limit={groups} onChange={setGroups} />
    </Dialog>
  );
}

export function RemoveUserDialog({ user, onClose }: UserProps): ReactNode {
  const remove = useAction("removeUser");
  return (
    <Dialog
      title={text.people.removeUser(user.name)}
      onClose={onClose}
      action={{
        label: text.common.remove,
        run: () => remove.mutate({ id: user.id }, { onSettled: onClose }),
        isOff: remove.isPending,
        isDangerous: true,
      }}
    >
      <p>{text.people.removeWarning}</p>
    </Dialog>
  );
}

/** Gives another account a new password. */
export function SetPasswordDialog({ user, onClose }: UserProps): ReactNode {
  const [password, setPassword] = useState("");
  const set = useAction("setUserPassword", { done: () => text.people.passwordChanged, isQuiet: true });
  return (
    <Dialog
      title={`${text.people.newPassword}: ${user.name}`}
      onClose={onClose}
      action={{
        label: text.people.change,
        run: () => set.mutate({ id: user.id, body: { password } }, { onSuccess: onClose }),
        isOff: set.isPending,
      }}
    >
      <NewPasswordField
        label={text.people.newPassword}
        error={set.error}
        value={password}
        onChange={setPassword}
      />
    </Dialog>
  );
}
