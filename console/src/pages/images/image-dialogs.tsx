import { type ReactNode, useState } from "react";
import type { ImageResource } from "#api/image-api.ts";
import { useAction } from "../../api/use-api.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { Field } from "../../ui/pieces.tsx";

const formats = ["portolan", "qcow2", "raw"] as const;

/** Reads a disk or an image file that lies on the server. */
export function ImportDialog(props: {
  readonly onClose: () => void;
  readonly onOperation: (id: string) => void;
}): ReactNode {
  const [path, setPath] = useState("");
  const [name, setName] = useState("");
  const start = useAction("importImage", { isQuiet: true });
  return (
    <Dialog
      title={text.images.importTitle}
      onClose={props.onClose}
      onSubmit={() =>
        start.mutate(
          { body: { path, name } },
          {
            onSuccess: ({ id }) => {
              props.onOperation(id);
              props.onClose();
            },
          },
        )
      }
      actions={
        <button type="submit" className="button primary" disabled={start.isPending}>
          {text.images.start}
        </button>
      }
    >
      <Field label={text.images.path} hint={text.images.pathHint} error={start.error?.message ?? null}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            required
            value={path}
            onChange={(event) => setPath(event.target.value)}
          />
        )}
      </Field>
      <Field label={text.images.name}>
        {(id) => (
          <input
            id={id}
            required
            maxLength={128}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}

/** Writes an image to a file on the server. */
export function ExportDialog(props: {
  readonly image: ImageResource;
  readonly onClose: () => void;
  readonly onOperation: (id: string) => void;
}): ReactNode {
  const { image, onClose, onOperation } = props;
  const [path, setPath] = useState("");
  const [format, setFormat] = useState<(typeof formats)[number]>("portolan");
  const start = useAction("exportImage", { isQuiet: true });
  return (
    <Dialog
      title={text.images.exportTitle(image.name)}
      onClose={onClose}
      onSubmit={() =>
        start.mutate(
          { id: image.id, body: { path, format } },
          {
            onSuccess: ({ id }) => {
              onOperation(id);
              onClose();
            },
          },
        )
      }
      actions={
        <button type="submit" className="button primary" disabled={start.isPending}>
          {text.images.exportStart}
        </button>
      }
    >
      <Field label={text.images.format}>
        {(id) => (
          <select
            id={id}
            value={format}
            onChange={(event) => setFormat(event.target.value as (typeof formats)[number])}
          >
            {formats.map((key) => (
              <option key={key} value={key}>
                {text.images.formats[key]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={text.images.path} hint={text.images.exportHint} error={start.error?.message ?? null}>
        {(id, hint) => (
          <input
            id={id}
            aria-describedby={hint}
            required
            value={path}
            onChange={(event) => setPath(event.target.value)}
          />
        )}
      </Field>
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
      onSubmit={() => remove.mutate({ id: image.id }, { onSuccess: onClose })}
      actions={
        <button type="submit" className="button danger" disabled={remove.isPending}>
          {text.images.removeDo}
        </button>
      }
    >
      <p>{text.images.removeWarning}</p>
      {ownBytes === null ? null : <p>{text.images.removeFrees(formatBytes(ownBytes))}</p>}
      {remove.error === null ? null : (
        <p className="failure" role="alert">
          {remove.error.message}
        </p>
      )}
    </Dialog>
  );
}
