import type { ReactNode } from "react";
import type { ImageDetail, ImageResource } from "#api/image-api.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";

const words = text.images;
type Partition = ImageDetail["partitions"][number];

/** A partition too small to be seen beside the others is drawn this wide, in per cent of the disk. */
const percentMin = 1.5;

/** How much of a partition's place is filled: what is used, where that is known. */
function usedPercent({ sizeBytes, usedBytes, taken }: Partition): number {
  if (taken === "head") {
    return 0;
  }
  return usedBytes === null || sizeBytes === 0 ? 100 : Math.min(100, (100 * usedBytes) / sizeBytes);
}

function titleOf({ number, name, fileSystem }: Partition): string {
  return [String(number), name, fileSystem].filter((part) => part !== "").join(" · ");
}

/** The disk as a bar with its partitions, and what each holds below it. */
export function ImageLayout(props: {
  readonly image: ImageResource;
  readonly detail: ImageDetail | null;
}): ReactNode {
  const { image, detail } = props;
  const partitions = detail?.partitions ?? [];
  const dataBytes = Math.min(image.sizeBytes, image.dataChunkCount * image.chunkSizeBytes);
  const summary = words.dataOf(image.dataChunkCount, image.chunkCount);
  const percentOf = (bytes: number): number => (100 * bytes) / Math.max(1, image.sizeBytes);
  return (
    <>
      <div className="layout-bar" role="img" aria-label={[summary, ...partitions.map(titleOf)].join("; ")}>
        {partitions.length === 0 ? (
          <div className="layout-data" style={{ width: `${percentOf(dataBytes)}%` }} />
        ) : (
          partitions.map((partition) => (
            <div
              key={partition.number}
              className="layout-partition"
              title={`${titleOf(partition)}: ${formatBytes(partition.sizeBytes)}`}
              style={{
                left: `${percentOf(partition.startBytes)}%`,
                width: `${Math.max(percentMin, percentOf(partition.sizeBytes))}%`,
              }}
            >
              <div className="layout-data" style={{ width: `${usedPercent(partition)}%` }} />
              <span>{partition.number}</span>
            </div>
          ))
        )}
      </div>
      <p className="muted">
        {summary}; {words.notSent(formatBytes(image.sizeBytes - dataBytes))}
      </p>
      {detail !== null && partitions.length === 0 ? (
        <p className="muted">{detail.tableType === "none" ? words.noTable : words.unknownTable}</p>
      ) : null}
      {partitions.length === 0 ? null : <PartitionTable partitions={partitions} />}
    </>
  );
}

function PartitionTable({ partitions }: { readonly partitions: readonly Partition[] }): ReactNode {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{words.partition}</th>
          <th scope="col">{words.fileSystem}</th>
          <th scope="col" className="number">
            {words.partitionSize}
          </th>
          <th scope="col" className="number">
            {words.used}
          </th>
          <th scope="col">{words.taken}</th>
        </tr>
      </thead>
      <tbody>
        {partitions.map(({ number, name, fileSystem, sizeBytes, usedBytes, taken, note }) => (
          <tr key={number}>
            <th scope="row">{name === "" ? number : `${number} ${name}`}</th>
            <td>{fileSystem}</td>
            <td className="number">{formatBytes(sizeBytes)}</td>
            <td className="number">{usedBytes === null ? "–" : formatBytes(usedBytes)}</td>
            <td>
              {words.takenAs[taken]}
              {note === null ? null : <small>{note}</small>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
