import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { ImageResource } from "#api/image-api.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { formatBytes } from "../text/format.ts";
import { text } from "../text/text.ts";
import { Empty, Facts, Failure, Loading, PageHead, Time } from "../ui/pieces.tsx";
import { useSiteObstacle } from "./me.tsx";
import { ArrivingImages } from "./images/arriving-card.tsx";
import { ExportDialog, ImportDialog, RemoveImageDialog } from "./images/image-dialogs.tsx";
import { ImageLayout } from "./images/image-layout.tsx";
import { InstallerCards } from "./images/installer-cards.tsx";
import { LackingNote } from "./images/lacking-note.tsx";
import { StorageCard } from "./images/storage-card.tsx";
import { OperationProgress } from "./operation-progress.tsx";

/** Images: what they hold, and that they still hold it. */
export function ImagesPage(): ReactNode {
  const images = useApi("listImages");
  const [isImporting, setImporting] = useState(false);
  const [operationIds, setOperationIds] = useState<readonly string[]>([]);
  const obstacle = useSiteObstacle("administrator");
  const client = useQueryClient();
  const refresh = (): Promise<unknown> =>
    Promise.all(
      ["listImages", "showImage", "showStorage"].map((key) => client.invalidateQueries({ queryKey: [key] })),
    );
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
          onEnd={() => void refresh()}
          onClose={() => setOperationIds((ids) => ids.filter((other) => other !== id))}
        />
      ))}
      <ArrivingImages />
      {images.data.length === 0 ? (
        <Empty icon="image" title={text.images.none}>
          {text.images.noneHint}
        </Empty>
      ) : (
        <StorageCard onOperation={follow} />
      )}
      <div className="cards cards-wide">
        {images.data.map((image) => (
          <ImageCard key={image.id} image={image} onOperation={follow} />
        ))}
      </div>
      <InstallerCards />
      {isImporting ? <ImportDialog onClose={() => setImporting(false)} onOperation={follow} /> : null}
    </main>
  );
}

function ImageCard(props: {
  readonly image: ImageResource;
  readonly onOperation: (id: string) => void;
}): ReactNode {
  const { image, onOperation } = props;
  const detail = useApi("showImage", { id: image.id });
  const operator = useSiteObstacle("operator");
  const administrator = useSiteObstacle("administrator");
  const [asked, setAsked] = useState<"export" | "remove" | null>(null);
  const verify = useAction("verifyImage");
  const dataBytes = Math.min(image.sizeBytes, image.dataChunkCount * image.chunkSizeBytes);
  return (
    <section className="card" aria-label={image.name}>
      <div className="session-head">
        <h2>{image.name}</h2>
        <button
          type="button"
          className="button small"
          disabled={operator !== null || verify.isPending}
          title={operator ?? undefined}
          onClick={() => verify.mutate({ id: image.id }, { onSuccess: ({ id }) => onOperation(id) })}
        >
          {text.images.verify}
        </button>
        {(["export", "remove"] as const).map((what) => (
          <button
            key={what}
            type="button"
            className={what === "remove" ? "button small danger-text" : "button small"}
            disabled={administrator !== null}
            title={administrator ?? undefined}
            onClick={() => setAsked(what)}
          >
            {text.images[what]}
          </button>
        ))}
      </div>
      <LackingNote
        imageId={image.id}
        lackingChunkCount={detail.data?.lackingChunkCount ?? 0}
        onOperation={onOperation}
      />
      <ImageLayout image={image} detail={detail.data ?? null} />
      <Facts
        facts={[
          [text.images.size, formatBytes(image.sizeBytes)],
          [text.images.data, formatBytes(dataBytes)],
          [text.images.stored, image.storedBytes === null ? null : formatBytes(image.storedBytes)],
          [text.images.own, detail.data === undefined ? null : formatBytes(detail.data.ownBytes)],
          [text.images.source, image.source],
          [text.images.chunkSize, formatBytes(image.chunkSizeBytes)],
          [text.images.created, <Time key="created" at={image.createdAt} />],
          ["ID", <code key="id">{image.id.slice(0, 16)}</code>],
        ]}
      />
      {asked === "export" ? (
        <ExportDialog image={image} onOperation={onOperation} onClose={() => setAsked(null)} />
      ) : null}
      {asked === "remove" ? (
        <RemoveImageDialog
          image={image}
          ownBytes={detail.data?.ownBytes ?? null}
          onClose={() => setAsked(null)}
        />
      ) : null}
    </section>
  );
}
