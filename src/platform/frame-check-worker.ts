import { hash } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { zstdDecompressSync } from "node:zlib";

/** One frame to be looked at, and what was found; `contentHash` is `null` for a frame that is none, or holds too much. */
export type FrameCheckRequest = {
  readonly id: number;
  readonly frame: Uint8Array;
  readonly sizeBytesMax: number;
};
export type FrameCheckAnswer = { readonly id: number; readonly contentHash: string | null };

function hashContent({ frame, sizeBytesMax }: FrameCheckRequest): string | null {
  try {
    // In one piece, see chunk-frame.ts.
    return hash(
      "sha256",
      zstdDecompressSync(frame, { maxOutputLength: sizeBytesMax, chunkSize: sizeBytesMax }),
    );
  } catch {
    return null;
  }
}

parentPort?.on("message", (request: FrameCheckRequest) => {
  const answer: FrameCheckAnswer = { id: request.id, contentHash: hashContent(request) };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window, has no origin
  parentPort?.postMessage(answer);
});
