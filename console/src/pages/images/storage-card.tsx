import type { ReactNode } from "react";
import { useAction, useApi } from "../../api/use-api.ts";
import { formatBytes, formatPercent } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { useSiteObstacle } from "../me.tsx";

const words = text.images;

/** What all images take together, and what sharing equal chunks saves. */
export function StorageCard({ onOperation }: { readonly onOperation: (id: string) => void }): ReactNode {
  const { data } = useApi("showStorage");
  const obstacle = useSiteObstacle("administrator");
  const prune = useAction("pruneImages");
  if (data === undefined) {
    return null;
  }
  const { imagesBytes, storedBytes, unusedBytes, chunkCount } = data;
  const usedBytes = Math.max(0, storedBytes - unusedBytes);
  const savedBytes = Math.max(0, imagesBytes - usedBytes);
  const whole = Math.max(imagesBytes, storedBytes, 1);
  const savedPercent = imagesBytes === 0 ? 0 : (100 * savedBytes) / imagesBytes;
  return (
    <section className="card" aria-label={words.storage}>
      <div className="session-head">
        <h2>{words.storage}</h2>
        <button
          type="button"
          className="button small"
          disabled={obstacle !== null || prune.isPending || unusedBytes === 0}
          title={obstacle ?? (unusedBytes === 0 ? words.nothingToFree : undefined)}
          onClick={() => prune.mutate({}, { onSuccess: ({ id }) => onOperation(id) })}
        >
          {unusedBytes === 0 ? words.nothingToFreeShort : words.prune(formatBytes(unusedBytes))}
        </button>
      </div>
      <div className="layout-bar" role="img" aria-label={words.storedOf(formatBytes(usedBytes))}>
        <div className="layout-data" style={{ width: `${(100 * usedBytes) / whole}%` }} />
        <div className="layout-unused" style={{ width: `${(100 * unusedBytes) / whole}%` }} />
      </div>
      <p className="muted">
        {words.storedOf(formatBytes(usedBytes))}; {words.chunkTotal(chunkCount)}.{" "}
        {words.saved(formatBytes(savedBytes), formatPercent(savedPercent))}
      </p>
    </section>
  );
}
