/** Takes the chunks of one manifest, in any order: a disk or a file. */
export type ChunkSink = {
  /** Chunk indices that are not there yet, ascending. */
  missing(): readonly number[];
  /** False when the frame does not hold what the manifest says; nothing was written then. */
  write(index: number, frame: Uint8Array): Promise<boolean>;
};
