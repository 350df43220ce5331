import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { ImageResource } from "#api/image-api.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { formatBytes } from "../text/format.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Empty, Facts, Failure, Field, Loading, PageHead, Time } from "../ui/pieces.tsx";
import { useObstacle } from "./me.tsx";
import { OperationProgress } from "./operation-progress.tsx";

/** Images: what they hold, and that they still hold it. */
export function ImagesPage(): ReactNode {
  const images = useApi("listImages");
  const [isImporting, setImporting] = useState(false);
  const [operationIds, setOperationIds] = useState<readonly string[]>([]);
  const obstacle = useObstacle("administrator");
  const client = useQueryClient();
  const follow = (id: string): void => setOperationIds((ids) => [id, ...ids]);
  if (images.data === undefined) {
    return images.error === null ? <Loading what={text.images.loading} /> : <Failure error={images.error} />;
  }
  return (
    <main className="page">
      <PageHead title={text.nav.images} lead={text.images.lead}>
        <button
          type="button"
          className="button primary"
          disabled={obstacle !== null}
          title={obstacle ?? undefined}
          onClick={() => setImporting(true)}
        >
          {text.images.import}
        </button>
      </PageHead>
      {operationIds.map((id) => (
        <OperationProgress
          key={id}
          id={id}
          onEnd={() => void client.invalidateQueries({ queryKey: ["listImages"] })}
          onClose={() => setOperationIds((ids) => ids.filter((other) => other !== id))}
        />
      ))}
      {images.data.length === 0 ? (
        <Empty icon="image" title={text.images.none}>
          {text.images.noneHint}
        </Empty>
      ) : null}
      <div className="cards">
        {images.data.map((image) => (
          <ImageCard key={image.id} image={image} onOperation={follow} />
        ))}
      </div>
      {isImporting ? <ImportDialog onClose={() => setImporting(false)} onOperation={follow} /> : null}
    </main>
  );
}

function ImageCard(props: {
  readonly image: ImageResource;
  readonly onOperation: (id: string) => void;
}): ReactNode {
  const { image, onOperation } = props;
  const obstacle = useObstacle("operator");
  const verify = useAction("verifyImage");
  const dataBytes = Math.min(image.sizeBytes, image.dataChunkCount * image.chunkSizeBytes);
  const dataPercent = (100 * dataBytes) / Math.max(1, image.sizeBytes);
  return (
    <section className="card" aria-label={image.name}>
      <div className="session-head">
        <h2>{image.name}</h2>
        <button
          type="button"
          className="button small"
          disabled={obstacle !== null || verify.isPending}
          title={obstacle ?? undefined}
          onClick={() => verify.mutate({ id: image.id }, { onSuccess: ({ id }) => onOperation(id) })}
        >
          {text.images.verify}
        </button>
      </div>
      <div
        className="layout-bar"
        role="img"
        aria-label={text.images.dataOf(image.dataChunkCount, image.chunkCount)}
      >
        <div className="layout-data" style={{ width: `${dataPercent}%` }} />
      </div>
      <p className="muted">
        {text.images.dataOf(image.dataChunkCount, image.chunkCount)};{" "}
        {text.images.notSent(formatBytes(image.sizeBytes - dataBytes))}
      </p>
      <Facts
        facts={[
          [text.images.size, formatBytes(image.sizeBytes)],
          [text.images.data, formatBytes(dataBytes)],
          [text.images.stored, image.storedBytes === null ? null : formatBytes(image.storedBytes)],
          [text.images.source, image.source],
          [text.images.chunkSize, formatBytes(image.chunkSizeBytes)],
          [text.images.created, <Time key="created" at={image.createdAt} />],
          ["ID", <code key="id">{image.id.slice(0, 16)}</code>],
        ]}
      />
    </section>
  );
}

function ImportDialog(props: {
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
