import { ChunkStore } from "#server/chunk-store.ts";

/*
 * Loaded into a server before its own program: ends it by SIGKILL when it has removed its n-th chunk, as a crash in the
 * middle of a prune does.
 * environment: PORTOLAN_TEST_KILL_AT=N
 */
const killAt = Number(process.env["PORTOLAN_TEST_KILL_AT"] ?? "0");
let removedCount = 0;

// The prototype's own method, called for each instance below.
// oxlint-disable-next-line typescript/unbound-method
const remove = ChunkStore.prototype.remove;

ChunkStore.prototype.remove = async function (this: ChunkStore, chunkHash: string): Promise<boolean> {
  const isRemoved = await remove.call(this, chunkHash);
  removedCount += isRemoved ? 1 : 0;
  if (isRemoved && removedCount === killAt) {
    process.kill(process.pid, "SIGKILL");
  }
  return isRemoved;
};
