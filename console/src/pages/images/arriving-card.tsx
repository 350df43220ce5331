import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import type { ArrivingImageResource } from "#api/image-api.ts";
import { call } from "../../api/client.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { Badge, Facts, Progress } from "../../ui/pieces.tsx";

const words = text.arriving;
const pollDelayMs = 1500;

/** Images that computers are still sending, above those that are whole: to look at, not to choose. */
export function ArrivingImages(): ReactNode {
  const client = useQueryClient();
  const arriving = useQuery({
    queryKey: ["listArrivingImages"],
    queryFn: () => call("listArrivingImages"),
    refetchInterval: pollDelayMs,
  });
  const images = arriving.data ?? [];
  const count = images.length;
  useEffect(() => {
    // One that is not arriving any more may be whole now.
    void client.invalidateQueries({ queryKey: ["listImages"] });
    void client.invalidateQueries({ queryKey: ["showStorage"] });
  }, [client, count]);
  return count === 0 ? null : (
    <div className="cards cards-wide">
      {images.map((image) => (
        <ArrivingCard key={image.computerId} image={image} />
      ))}
    </div>
  );
}

function ArrivingCard({ image }: { readonly image: ArrivingImageResource }): ReactNode {
  const { id, name, sizeBytes, computerId, computerName, chunkCount, arrivedChunkCount } = image;
  const { doneBytes, totalBytes, stage } = image;
  const percent = totalBytes === 0 ? 0 : (100 * doneBytes) / totalBytes;
  const told = totalBytes === 0 ? "" : words.share(formatBytes(doneBytes), formatBytes(totalBytes), percent);
  return (
    <section className="card" aria-label={words.of(name)}>
      <div className="session-head">
        <h2>{name}</h2>
        <Badge tone="busy">{words.arriving}</Badge>
      </div>
      <Progress percent={percent} label={words.of(name)} />
      <p>
        {words.stages[stage ?? "begins"] ?? stage} {told}
      </p>
      <Facts
        facts={[
          [
            words.from,
            <Link key="from" to="/computers/$id/{-$tab}" params={{ id: computerId }}>
              {computerName}
            </Link>,
          ],
          [text.images.size, sizeBytes === null ? null : formatBytes(sizeBytes)],
          [words.here, chunkCount === null ? null : words.chunks(arrivedChunkCount ?? 0, chunkCount)],
        ]}
      />
      <p className="muted">{id === null ? words.notYet : words.streamed}</p>
    </section>
  );
}
