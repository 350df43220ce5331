import { hash } from "node:crypto";
import { decodeManifest, type Manifest } from "#engine/image/manifest.ts";
import { openDisk } from "#platform/disk.ts";
import { type ServerImagingMessage, toRanges } from "#wire/control/imaging-messages.ts";
import type { TaskMessage, TransferAccess } from "#wire/control/task-message.ts";
import { chooseDisk } from "../imaging/choose-disk.ts";
import { DiskRestore } from "../imaging/disk-restore.ts";
import { MulticastSession } from "../imaging/multicast-session.ts";
import { TransferClient } from "../imaging/transfer-client.ts";
import { listDisks } from "../inventory.ts";
import type { TaskAgain, TaskContext, TaskOutcome } from "../task.ts";

type DeployTask = Extract<TaskMessage["task"], { kind: "deploy-image" }>;
type Message = ServerImagingMessage | TaskAgain;

/** A broken transfer is gone on with when the server asks again within this time: it was restarted. */
const serverPatienceMs = 120_000;

/** Messages in order, for a loop that awaits between them. BOUNDED by what the server sends in one session. */
class Inbox {
  readonly #messages: Message[] = [];
  #wake: (() => void) | null = null;

  push(message: Message): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  /** `null` once the signal is given. */
  async next(signal: AbortSignal): Promise<Message | null> {
    while (this.#messages.length === 0) {
      if (signal.aborted) {
        return null;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    return this.#messages.shift() ?? null;
  }
}

/** The right to transfers, which a restarted server gives anew. */
class TransferRight {
  access: TransferAccess;
  readonly #inbox: Inbox;
  readonly #signal: AbortSignal;

  constructor(access: TransferAccess, inbox: Inbox, signal: AbortSignal) {
    this.access = access;
    this.#inbox = inbox;
    this.#signal = signal;
  }

  /** Does the work, and goes on with it under a new right whenever the server that gave the old one went away. */
  async keepTrying<Result>(work: (access: TransferAccess) => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work(this.access);
      } catch (error) {
        if (error instanceof ImageError || !(await this.#renew())) {
          throw error;
        }
      }
    }
  }

  async #renew(): Promise<boolean> {
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(serverPatienceMs)]);
    for (;;) {
      const message = await this.#inbox.next(signal);
      if (message === null) {
        return false;
      }
      if (message.type === "task-again") {
        this.access = message.transfer;
        return true;
      }
    }
  }
}

/** What the server sent is not the image: asking again would not help. */
class ImageError extends Error {}

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

async function restoreByUnicast(
  restore: DiskRestore,
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
  const transfer = await TransferClient.connect(context, access);
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

/** Takes part in sessions until nothing is missing, or until the server or the network sends it to unicast. */
async function restoreByMulticast(
  restore: DiskRestore,
  context: TaskContext,
  inbox: Inbox,
  right: TransferRight,
  onWritten: () => void,
): Promise<"complete" | "use-unicast" | "aborted"> {
  const join = (): void =>
    context.send({ type: "imaging-join", key: context.key, wanted: toRanges(restore.missing()) });
  const write = async (index: number, frame: Uint8Array): Promise<boolean> => {
    const isWritten = await restore.write(index, frame);
    onWritten();
    return isWritten;
  };
  let session: MulticastSession | null = null;
  try {
    join();
    for (;;) {
      const message = await inbox.next(context.signal);
      if (message === null) {
        return "aborted";
      }
      switch (message.type) {
        case "task-again":
          right.access = message.transfer;
          await session?.close();
          session = null;
          join();
          break;
        case "imaging-session":
          await session?.close();
          context.say(`multicast session ${message.sessionId} on ${message.group}:${message.port}`);
          session = await MulticastSession.join(message, context, restore.missing(), write);
          break;
        case "imaging-round-end": {
          if (session === null || session.sessionId !== message.sessionId) {
            break;
          }
          const { wantedCount } = await session.answerRound(message.round);
          if (wantedCount === 0) {
            return "complete";
          }
          if (session.packetCount === 0) {
            context.say(
              "no multicast arrives here; is IGMP snooping on without a querier? going on by unicast",
            );
            return "use-unicast";
          }
          break;
        }
        case "imaging-use-unicast":
          context.say(`going on by unicast: ${message.reason}`);
          return "use-unicast";
      }
    }
  } finally {
    await session?.close();
  }
}

/** Restores an image to the disk the rule means, and proves it by reading back. */
export async function deployImage(task: DeployTask, context: TaskContext): Promise<TaskOutcome> {
  const inbox = new Inbox();
  context.onMessage((message) => inbox.push(message));
  const right = new TransferRight(task.transfer, inbox, context.signal);
  const manifest = await right.keepTrying((access) => fetchManifest(task, context, access));
  const choice = chooseDisk(task.disk, listDisks(), manifest.sizeBytes);
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
