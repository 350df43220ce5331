import { type ReactNode, useState } from "react";
import { useAction } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { NewPasswordField, TextField } from "../ui/field.tsx";

/** Changes one's own password. */
export function PasswordDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [password, setPassword] = useState("");
  const [newPassword, setNewPassword] = useState("");
  const change = useAction("changeMyPassword", { done: () => text.people.passwordChanged, isQuiet: true });
  return (
    <Dialog
      title={text.top.changePassword}
      onClose={onClose}
      action={{
        label: text.people.change,
        run: () => change.mutate({ body: { password, newPassword } }, { onSuccess: onClose }),
        isOff: change.isPending,
      }}
    >
      <TextField
        label={text.people.oldPassword}
        error={change.error}
        type="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={setPassword}
      />
      <NewPasswordField label={text.people.newPassword} value={newPassword} onChange={setNewPassword} />
    </Dialog>
  );
}
