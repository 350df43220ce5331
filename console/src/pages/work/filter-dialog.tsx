import { type ReactNode, useState } from "react";
import { text } from "../../text/text.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import type { Group, SavedFilter } from "./groups.ts";

/** Gives a filter a name, under which it stands among the groups of this visitor. */
export function FilterDialog(props: {
  readonly words: string;
  readonly within: Group | undefined;
  readonly onKeep: (filter: SavedFilter) => void;
  readonly onClose: () => void;
}): ReactNode {
  const { words, within, onKeep, onClose } = props;
  const [name, setName] = useState(words);
  const isInAll = within === undefined || within.kind === "all";
  return (
    <Dialog
      title={text.work.filterTitle}
      onClose={onClose}
      action={{
        label: text.work.filterKeep,
        run: () => {
          onKeep({ name: name.trim(), words, within: within?.key ?? "all" });
          onClose();
        },
        isOff: name.trim() === "",
      }}
    >
      <TextField
        label={text.work.filterName}
        hint={text.work.filterHint(words, isInAll ? null : within.title)}
        value={name}
        onChange={setName}
        maxLength={64}
        autoFocus
        required
      />
    </Dialog>
  );
}
