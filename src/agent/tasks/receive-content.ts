import { hash } from "node:crypto";
import { decodeManifest, type Manifest } from "#engine/image/manifest.ts";
import type { ContentAccess } from "#wire/control/os-task-message.ts";
import type { TransferAccess } from "#wire/control/transfer-access.ts";
import { FileReceipt } from "../imaging/file-receipt.ts";
import { ImagingInbox } from "../imaging/imaging-inbox.ts";
import { restoreByMulticast } from "../imaging/restore-by-multicast.ts";
import { restoreByUnicast } from "../imaging/restore-by-unicast.ts";
import { connectTransfer } from "../imaging/connect-transfer.ts";
import { ImageError, TransferRight } from "../imaging/transfer-right.ts";
import type { TaskContext } from "../task.ts";

async function fetchManifest(
  contentId: string,
  context: TaskContext,
  access: TransferAccess,
): Promise<Manifest> {
  const transfer = await connectTransfer(context, access);
  try {
    const text = await transfer.readManifest();
    if (hash("sha256", text) !== contentId) {
      throw new ImageError("the manifest is not that of the content this task names");
    }
    return decodeManifest(text);
  } finally {
    transfer.close();
  }
}

/**
 * Brings content of the store into a file, by multicast where the server offers it. A file that an interrupted attempt
 * left at `path` is gone on with. Every chunk is checked before it is written.
 *
 * @throws ImageError when the server sends something else than the task names; Error when it was cancelled
 */
export async function receiveContent(
  content: ContentAccess,
  path: string,
  context: TaskContext,
  stage = "receiving",
): Promise<void> {
  const inbox = new ImagingInbox();
  context.onMessage((message) => inbox.push(message));
  const right = new TransferRight(content.transfer, inbox, context.signal);
  const manifest = await right.keepTrying((access) => fetchManifest(content.contentId, context, access));
  const receipt = await FileReceipt.open(path, manifest);
  try {
    let transport: "multicast" | "unicast" = "multicast";
    const report = (): void => {
      const { doneBytes } = receipt;
      context.report({ doneBytes, totalBytes: manifest.sizeBytes, transport, stage });
    };
    report();
    const ended = await restoreByMulticast(receipt, context, inbox, right, report);
    if (ended === "use-unicast") {
      transport = "unicast";
      await right.keepTrying((access) => restoreByUnicast(receipt, manifest, access, context, report));
    }
    if (receipt.missing().length > 0) {
      throw new Error("cancelled while it received the file; what has arrived is kept for the next attempt");
    }
    report();
  } finally {
    await receipt.close();
  }
}
