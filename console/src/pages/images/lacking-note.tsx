import type { ReactNode } from "react";
import { useAction } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { useSiteObstacle } from "../me.tsx";

/** Says what this server lacks of an image, and fetches it from the others of the site. */
export function LackingNote(props: {
  readonly imageId: string;
  readonly lackingChunkCount: number;
  readonly onOperation: (id: string) => void;
}): ReactNode {
  const { imageId, lackingChunkCount, onOperation } = props;
  const obstacle = useSiteObstacle("operator");
  const fetching = useAction("fetchImage");
  return lackingChunkCount === 0 ? null : (
    <div className="note session-head">
      <span>{text.images.lacking(lackingChunkCount)}</span>
      <button
        type="button"
        className="button small"
        disabled={obstacle !== null || fetching.isPending}
        title={obstacle ?? undefined}
        onClick={() => fetching.mutate({ id: imageId }, { onSuccess: ({ id }) => onOperation(id) })}
      >
        {text.images.fetch}
      </button>
    </div>
  );
}
