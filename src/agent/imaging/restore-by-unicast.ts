import type { Manifest } from "#engine/image/manifest.ts";
import type { TransferAccess } from "#wire/control/task-message.ts";
import type { TaskContext } from "../task.ts";
import type { ChunkSink } from "./chunk-sink.ts";
import { connectTransfer } from "./connect-transfer.ts";
import { ImageError } from "./transfer-right.ts";

/** Fetches what is missing over one transfer connection, each distinct chunk once. */
export async function restoreByUnicast(
  restore: ChunkSink,
  manifest: Manifest,
  access: TransferAccess,
  context: TaskContext,
  onWritten: () => void,
): Promise<void> {
  const indicesByHash = new Map<string, number[]>();
  for (const index of restore.missing()) {
    const chunkHash = manifest.chunks[index] ?? "";
    indicesByHash.set(chunkHash, [...(indicesByHash.get(chunkHash) ?? []), index]);
  }
  const transfer = await connectTransfer(context, access);
  try {
    for await (const { chunkHash, frame } of transfer.readChunks([...indicesByHash.keys()])) {
      for (const index of indicesByHash.get(chunkHash) ?? []) {
        if (!(await restore.write(index, frame))) {
          throw new ImageError(`chunk ${index} is not what the manifest says`);
        }
      }
      onWritten();
      if (context.signal.aborted) {
        return;
      }
    }
  } finally {
    transfer.close();
  }
}
