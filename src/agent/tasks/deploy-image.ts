import { hash } from "node:crypto";
import { decodeManifest, type Manifest } from "#engine/image/manifest.ts";
import { findSigner, type ManifestSignature } from "#platform/manifest-signature.ts";
import type { TaskMessage, TransferAccess } from "#wire/control/task-message.ts";
import { addBootEntry } from "../imaging/boot-entry.ts";
import { chooseDisk, describeDisk } from "../imaging/choose-disk.ts";
import { DiskRestore } from "../imaging/disk-restore.ts";
import { ImagingInbox } from "../imaging/imaging-inbox.ts";
import { restoreByMulticast } from "../imaging/restore-by-multicast.ts";
import { restoreByUnicast } from "../imaging/restore-by-unicast.ts";
import { RestoreTarget } from "../imaging/restore-target.ts";
import { connectTransfer } from "../imaging/connect-transfer.ts";
import { ImageError, TransferRight } from "../imaging/transfer-right.ts";
import { writeIdentity } from "../imaging/write-identity.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";

type DeployTask = Extract<TaskMessage["task"], { kind: "deploy-image" }>;

/** The manifest, proven to be the one this task names and to bear the site's signature. */
async function fetchManifest(
  task: DeployTask,
  context: TaskContext,
  access: TransferAccess,
): Promise<Manifest> {
  const transfer = await connectTransfer(context, access);
  try {
    const text = await transfer.readManifest();
    if (hash("sha256", text) !== task.imageId) {
      throw new ImageError("the manifest is not that of the image this task names");
    }
    const signature = JSON.parse(await transfer.readSignature()) as ManifestSignature;
    if (findSigner(task.imageId, signature) !== context.siteKeyFingerprint) {
      throw new ImageError("the image does not bear the signature of this site; it is not written");
    }
    return decodeManifest(text);
  } finally {
    transfer.close();
  }
}

type Restoring = {
  readonly task: DeployTask;
  readonly context: TaskContext;
  readonly manifest: Manifest;
  readonly target: RestoreTarget;
  readonly restore: DiskRestore;
};

/** Compares the disk with the image, and brings what differs. @returns false when it was cancelled */
async function bringChunks(
  { context, manifest, restore }: Restoring,
  inbox: ImagingInbox,
  right: TransferRight,
): Promise<boolean> {
  let transport: "multicast" | "unicast" | null = null;
  let totalBytes = 0;
  const report = (stage: string, doneBytes: number): void => {
    context.report({ doneBytes: Math.min(doneBytes, totalBytes), totalBytes, transport, stage });
  };
  report("comparing", 0);
  const compared = await restore.compare((doneBytes, allBytes) => {
    context.report({ doneBytes, totalBytes: allBytes, transport, stage: "comparing" });
  }, context.signal);
  if (context.signal.aborted) {
    return false;
  }
  totalBytes = restore.missing().length * manifest.chunkSizeBytes;
  const allCount = manifest.chunks.filter((chunk) => chunk !== null).length;
  context.say(
    compared === "compared"
      ? `${restore.missing().length} of ${allCount} chunks differ from the image`
      : "the disk holds something else; everything is fetched",
  );
  report("preparing", 0);
  await restore.begin();
  if (restore.missing().length > 0) {
    report("waiting", 0);
    const onWritten = (): void => report("writing", restore.writtenBytes);
    transport = "multicast";
    const ended = await restoreByMulticast(restore, context, inbox, right, onWritten);
    if (ended === "use-unicast") {
      transport = "unicast";
      await right.keepTrying((access) => restoreByUnicast(restore, manifest, access, context, onWritten));
    }
  }
  if (!context.signal.aborted) {
    await restore.clear((doneBytes, allBytes) => {
      context.report({ doneBytes, totalBytes: allBytes, transport: null, stage: "clearing" });
    }, context.signal);
  }
  return !context.signal.aborted;
}

/** Proves what was written, makes the disk this computer's own, and only then bootable. */
async function finish({ task, context, manifest, target, restore }: Restoring): Promise<TaskOutcome> {
  const { options } = task;
  const { writtenBytes: totalBytes } = restore;
  const stage = (name: string, doneBytes = 0): void =>
    context.report({ doneBytes, totalBytes, transport: null, stage: name });
  stage("verifying");
  const fault = await restore.verify((doneBytes) => stage("verifying", doneBytes));
  if (fault !== null) {
    return { outcome: "failed", reason: fault };
  }
  if (target.isResized) {
    stage("resizing");
    await target.resize();
  }
  if (options.identity !== null) {
    stage("setting its identity");
    const written = await writeIdentity(target, manifest, options.identity);
    context.say(`identity written to ${written.join(", ")}`);
  }
  const tableFault = await restore.complete((first) => target.finalTable(first, manifest, options));
  if (tableFault === null && options.hasBootEntry) {
    context.say(await addBootEntry(target, manifest));
  }
  return { outcome: tableFault === null ? "done" : "failed", reason: tableFault };
}

async function bringAndFinish(
  restoring: Restoring,
  inbox: ImagingInbox,
  right: TransferRight,
): Promise<TaskOutcome> {
  const isThere = await bringChunks(restoring, inbox, right);
  return isThere ? finish(restoring) : { outcome: "failed", reason: "cancelled" };
}

/** Leaves room for what is said of the disk, in a reason that an agent may send. */
const causeLengthMax = 700;

function failedBy(error: unknown): TaskOutcome {
  const cause = error instanceof Error ? error.message : String(error);
  return { outcome: "failed", reason: cause.slice(0, causeLengthMax) };
}

/** Restores an image to the disk the rule means, and proves it by reading back. */
export async function deployImage(task: DeployTask, context: TaskContext): Promise<TaskOutcome> {
  const inbox = new ImagingInbox();
  context.onMessage((message) => inbox.push(message));
  const right = new TransferRight(task.transfer, inbox, context.signal);
  const manifest = await right.keepTrying((access) => fetchManifest(task, context, access));
  // A disk of another size is a matter of the options, which know what can be done about it.
  const neededBytes = task.options.resize === null ? manifest.sizeBytes : 0;
  const choice = chooseDisk(task.disk, context.disks(), neededBytes);
  if (choice.type === "refused") {
    return { outcome: "failed", reason: choice.reason };
  }
  const path = `/dev/${choice.disk.name}`;
  const target = await RestoreTarget.open(path, manifest, task.options);
  if (!(target instanceof RestoreTarget)) {
    return { outcome: "failed", reason: target.refusal };
  }
  const disk = describeDisk(choice.disk);
  context.say(`writing ${manifest.name} to ${disk}`);
  try {
    const restore = new DiskRestore(target.disk, manifest, target.placed);
    const restoring = { task, context, manifest, target, restore };
    const ended = await bringAndFinish(restoring, inbox, right).catch(failedBy);
    return ended.outcome === "failed" && restore.isUnbootable
      ? { ...ended, reason: `${ended.reason}; ${disk} was left unbootable` }
      : ended;
  } finally {
    await target.close();
  }
}
