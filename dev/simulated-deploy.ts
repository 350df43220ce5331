import { setTimeout as delay } from "node:timers/promises";
import { chunkLength, decodeManifest, type Manifest } from "#engine/image/manifest.ts";
import type { ChunkSink } from "#agent/imaging/chunk-sink.ts";
import { ImagingInbox } from "#agent/imaging/imaging-inbox.ts";
import { restoreByMulticast } from "#agent/imaging/restore-by-multicast.ts";
import { restoreByUnicast } from "#agent/imaging/restore-by-unicast.ts";
import { connectTransfer } from "#agent/imaging/connect-transfer.ts";
import { TransferRight } from "#agent/imaging/transfer-right.ts";
import type { TaskContext, TaskOutcome } from "#agent/task.ts";
import type { TaskMessage } from "#wire/control/task-message.ts";

type DeployTask = Extract<TaskMessage["task"], { kind: "deploy-image" }>;

/** A disk that takes every chunk at the pace of a slow one, and keeps none: only how far it is counts here. */
class SimulatedDisk implements ChunkSink {
  readonly #missing: Set<number>;
  readonly #manifest: Manifest;
  readonly #writeDelayMs: number;
  writtenBytes = 0;

  constructor(manifest: Manifest, writeDelayMs: number) {
    this.#manifest = manifest;
    this.#writeDelayMs = writeDelayMs;
    this.#missing = new Set(
      [...manifest.chunks.entries()].flatMap(([index, hash]) => (hash === null ? [] : [index])),
    );
  }

  missing(): readonly number[] {
    return [...this.#missing];
  }

  async write(index: number): Promise<boolean> {
    await delay(this.#writeDelayMs);
    if (!this.#missing.delete(index)) {
      return false;
    }
    this.writtenBytes += chunkLength(this.#manifest, index);
    return true;
  }
}

/** The agent's own part in sessions and transfers, with a disk that is not there. */
export async function simulateDeploy(
  task: DeployTask,
  context: TaskContext,
  writeDelayMs: number,
): Promise<TaskOutcome> {
  const inbox = new ImagingInbox();
  context.onMessage((message) => inbox.push(message));
  const right = new TransferRight(task.transfer, inbox, context.signal);
  const manifest = await right.keepTrying(async (access) => {
    const transfer = await connectTransfer(context, access);
    const text = await transfer.readManifest().finally(() => transfer.close());
    return decodeManifest(text);
  });
  const disk = new SimulatedDisk(manifest, writeDelayMs);
  const totalBytes = disk.missing().length * manifest.chunkSizeBytes;
  let transport: "multicast" | "unicast" = "multicast";
  const report = (stage: string): void =>
    context.report({ doneBytes: Math.min(totalBytes, disk.writtenBytes), totalBytes, transport, stage });
  report("waiting");
  const ended = await restoreByMulticast(disk, context, inbox, right, () => report("writing"));
  if (ended === "use-unicast") {
    transport = "unicast";
    await right.keepTrying((access) =>
      restoreByUnicast(disk, manifest, access, context, () => report("writing")),
    );
  }
  if (context.signal.aborted) {
    return { outcome: "failed", reason: "cancelled; the disk was left unbootable" };
  }
  report("verifying");
  await delay(600);
  return { outcome: "done", reason: null };
}
