import { type ReactNode, useState } from "react";
import { useAction } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Field } from "../ui/pieces.tsx";

/** Changes one's own password. */
export function PasswordDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [password, setPassword] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const change = useAction("changeMyPassword", { done: () => text.people.passwordChanged, isQuiet: true });
  return (
    <Dialog
      title={text.top.changePassword}
      onClose={onClose}
      onSubmit={() => change.mutate({ body: { password, newPassword } }, { onSuccess: onClose })}
      actions={
        <button type="submit" className="button primary" disabled={change.isPending}>
          {text.people.change}
        </button>
      }
    >
      <Field label={text.people.oldPassword} error={change.error?.message ?? null}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            type="password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <Field label={text.people.newPassword} hint={text.setup.passwordHint}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            type="password"
            autoComplete="new-password"
            minLength={10}
            required
            value={newPassword}
            onChange={(event) => setNewPassword(event.target.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}
