import { hash } from "node:crypto";
import { decodeManifest, type Manifest } from "#engine/image/manifest.ts";
import { openDisk } from "#platform/disk.ts";
import type { TaskMessage, TransferAccess } from "#wire/control/task-message.ts";
import { chooseDisk } from "../imaging/choose-disk.ts";
import { DiskRestore } from "../imaging/disk-restore.ts";
import { ImagingInbox } from "../imaging/imaging-inbox.ts";
import { restoreByMulticast } from "../imaging/restore-by-multicast.ts";
import { restoreByUnicast } from "../imaging/restore-by-unicast.ts";
import { TransferClient } from "../imaging/transfer-client.ts";
import { ImageError, TransferRight } from "../imaging/transfer-right.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";

type DeployTask = Extract<TaskMessage["task"], { kind: "deploy-image" }>;
async function fetchManifest(
  task: DeployTask,
  context: TaskContext,
  access: TransferAccess,
): Promise<Manifest> {
  const transfer = await TransferClient.connect(context, access);
  try {
    const text = await transfer.readManifest();
    if (hash("sha256", text) !== task.imageId) {
      throw new ImageError("the manifest is not that of the image this task names");
    }
    return decodeManifest(text);
  } finally {
    transfer.close();
  }
}

/** Restores an image to the disk the rule means, and proves it by reading back. */
export async function deployImage(task: DeployTask, context: TaskContext): Promise<TaskOutcome> {
  const inbox = new ImagingInbox();
  context.onMessage((message) => inbox.push(message));
  const right = new TransferRight(task.transfer, inbox, context.signal);
  const manifest = await right.keepTrying((access) => fetchManifest(task, context, access));
  const choice = chooseDisk(task.disk, context.disks(), manifest.sizeBytes);
  if (choice.type === "refused") {
    return { outcome: "failed", reason: choice.reason };
  }
  const path = `/dev/${choice.disk.name}`;
  context.say(
    `writing ${manifest.name} to ${path} (${choice.disk.model ?? "no model"}, ${choice.disk.serial ?? "no serial"})`,
  );
  const disk = await openDisk(path, "write");
  try {
    const restore = new DiskRestore(disk, manifest);
    const totalBytes = restore.missing().length * manifest.chunkSizeBytes;
    let transport: "multicast" | "unicast" | null = null;
    const report = (stage: string, doneBytes: number): void => {
      context.report({ doneBytes: Math.min(doneBytes, totalBytes), totalBytes, transport, stage });
    };
    report("preparing", 0);
    await restore.begin(() => report("preparing", 0));
    report("waiting", 0);
    const onWritten = (): void => report("writing", restore.writtenBytes);
    transport = "multicast";
    const ended = await restoreByMulticast(restore, context, inbox, right, onWritten);
    if (ended === "use-unicast") {
      transport = "unicast";
      await right.keepTrying((access) => restoreByUnicast(restore, manifest, access, context, onWritten));
    }
    if (context.signal.aborted) {
      return { outcome: "failed", reason: "cancelled; the disk was left unbootable" };
    }
    const fault = await restore.finish((doneBytes) => report("verifying", doneBytes));
    return fault === null ? { outcome: "done", reason: null } : { outcome: "failed", reason: fault };
  } finally {
    await disk.close();
  }
}
