import { hash } from "node:crypto";
import { openDisk } from "#platform/disk.ts";
import type { TaskMessage } from "#wire/control/task-message.ts";
import { chooseDisk } from "../imaging/choose-disk.ts";
import { DiskCapture } from "../imaging/disk-capture.ts";
import { ImagingInbox } from "../imaging/imaging-inbox.ts";
import { surveyDisk } from "../imaging/survey-disk.ts";
import { UploadRefusedError } from "#platform/transfer-client.ts";
import { connectTransfer } from "../imaging/connect-transfer.ts";
import { ImageError, TransferRight } from "../imaging/transfer-right.ts";
import type { TaskContext, TaskOutcome } from "../task.ts";

type CaptureTask = Extract<TaskMessage["task"], { kind: "capture-image" }>;

/** Makes an image of the disk the rule means. Nothing is written to it. */
export async function captureImage(task: CaptureTask, context: TaskContext): Promise<TaskOutcome> {
  const inbox = new ImagingInbox();
  context.onMessage((message) => inbox.push(message));
  const right = new TransferRight(task.transfer, inbox, context.signal);
  const choice = chooseDisk(task.disk, context.disks(), 0);
  if (choice.type === "refused") {
    return { outcome: "failed", reason: choice.reason };
  }
  const path = `/dev/${choice.disk.name}`;
  context.report({ doneBytes: 0, totalBytes: 0, transport: null, stage: "looking at the disk" });
  const disk = await openDisk(path, "read");
  try {
    const { layout, used, obstacles } = await surveyDisk(path, disk, context.signal);
    for (const obstacle of obstacles) {
      context.say(`in the way: ${obstacle}`);
    }
    if (obstacles.length > 0 && !task.isForced) {
      const reason = `${obstacles.join("; ")}. Capture with --force to take it as it is`;
      return { outcome: "failed", reason };
    }
    for (const { number, note } of layout.partitions) {
      if (note !== null) {
        context.say(`partition ${number}: ${note}`);
      }
    }
    const capture = new DiskCapture(disk, task.imageName, layout, used);
    const { totalBytes } = capture;
    if (task.isStreamed) {
      // Before a connection is opened: it would be cut while nothing travels on it.
      await capture.nameAll(
        (doneBytes) => context.report({ doneBytes, totalBytes, transport: null, stage: "reading" }),
        context.signal,
      );
    }
    const imageId = await right.keepTrying(async (access) => {
      const transfer = await connectTransfer(context, access);
      try {
        if (task.isStreamed) {
          await transfer.announce(capture.manifestText());
        }
        const manifestText = await capture.send(
          transfer,
          ({ doneBytes }) =>
            context.report({ doneBytes, totalBytes, transport: "unicast", stage: "capturing" }),
          context.signal,
        );
        await transfer.complete(manifestText);
        return hash("sha256", manifestText);
      } catch (error) {
        throw error instanceof UploadRefusedError ? new ImageError(error.message) : error;
      } finally {
        transfer.close();
      }
    });
    context.say(`captured as image ${imageId.slice(0, 12)}`);
    return { outcome: "done", reason: null };
  } finally {
    await disk.close();
  }
}
