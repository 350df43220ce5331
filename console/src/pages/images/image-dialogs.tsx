import { type ReactNode, useState } from "react";
import type { ImageResource } from "#api/image-api.ts";
import { useAction } from "../../api/use-api.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { ChoiceField, TextField } from "../../ui/field.tsx";

const formats = ["portolan", "qcow2", "raw"] as const;

type StartProps = {
  readonly onClose: () => void;
  /** The work has begun; its progress is asked for by this id. */
  readonly onOperation: (id: string) => void;
};

/** Reads a disk or an image file that lies on the server. */
export function ImportDialog({ onClose, onOperation }: StartProps): ReactNode {
  const [path, setPath] = useState("");
  const [name, setName] = useState("");
  const start = useAction("importImage", { isQuiet: true });
  const onSuccess = ({ id }: { readonly id: string }): void => {
    onOperation(id);
    onClose();
  };
  return (
    <Dialog
      title={text.images.importTitle}
      onClose={onClose}
      action={{
        label: text.images.start,
        run: () => start.mutate({ body: { path, name } }, { onSuccess }),
        isOff: start.isPending,
      }}
    >
      <TextField
        label={text.images.path}
        hint={text.images.pathHint}
        error={start.error}
        required
        value={path}
        onChange={setPath}
      />
      <TextField label={text.images.name} required maxLength={128} value={name} onChange={setName} />
    </Dialog>
  );
}

/** Writes an image to a file on the server. */
export function ExportDialog(props: StartProps & { readonly image: ImageResource }): ReactNode {
  const { image, onClose, onOperation } = props;
  const [path, setPath] = useState("");
  const [format, setFormat] = useState<(typeof formats)[number]>("portolan");
  const start = useAction("exportImage", { isQuiet: true });
  const onSuccess = ({ id }: { readonly id: string }): void => {
    onOperation(id);
    onClose();
  };
  return (
    <Dialog
      title={text.images.exportTitle(image.name)}
      onClose={onClose}
      action={{
        label: text.images.exportStart,
        run: () => start.mutate({ id: image.id, body: { path, format } }, { onSuccess }),
        isOff: start.isPending,
      }}
    >
      <ChoiceField
        label={text.images.format}
        value={format}
        choices={formats.map((key) => [key, text.images.formats[key]])}
        onChange={setFormat}
      />
      <TextField
        label={text.images.path}
        hint={text.images.exportHint}
        error={start.error}
        required
        value={path}
        onChange={setPath}
      />
    </Dialog>
  );
}

/** Names the image that goes, and what that frees. */
export function RemoveImageDialog(props: {
  readonly image: ImageResource;
  readonly ownBytes: number | null;
  readonly onClose: () => void;
}): ReactNode {
  const { image, ownBytes, onClose } = props;
  const remove = useAction("removeImage", { done: ({ name }) => text.images.removed(name), isQuiet: true });
  return (
    <Dialog
      title={text.images.removeTitle(image.name)}
      onClose={onClose}
      action={{
        label: text.images.removeDo,
        run: () => remove.mutate({ id: image.id }, { onSuccess: onClose }),
        isOff: remove.isPending,
        isDangerous: true,
      }}
      error={remove.error}
    >
      <p>{text.images.removeWarning}</p>
      {ownBytes === null ? null : <p>{text.images.removeFrees(formatBytes(ownBytes))}</p>}
    </Dialog>
  );
}
