import { toRanges } from "#wire/control/imaging-messages.ts";
import type { TaskContext } from "../task.ts";
import type { ChunkSink } from "./chunk-sink.ts";
import type { ImagingInbox } from "./imaging-inbox.ts";
import { MulticastSession } from "./multicast-session.ts";
import type { TransferRight } from "./transfer-right.ts";

/** Takes part in sessions until nothing is missing, or until the server or the network sends it to unicast. */
export async function restoreByMulticast(
  restore: ChunkSink,
  context: TaskContext,
  inbox: ImagingInbox,
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
  const onEnd = (error: Error | null): void => inbox.push({ type: "session-ended", error });
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
          session = await MulticastSession.join(message, context, restore.missing(), { write, onEnd });
          break;
        case "imaging-round-end": {
          if (session === null || session.sessionId !== message.sessionId) {
            break;
          }
          await session.answerRound(message);
          if (session.packetCount === 0) {
            context.say(
              "no multicast arrives here; is IGMP snooping on without a querier? going on by unicast",
            );
            return "use-unicast";
          }
          if (session.isForged) {
            context.say("somebody forges multicast datagrams of this session; going on by unicast");
            return "use-unicast";
          }
          break;
        }
        case "session-ended":
          if (message.error !== null) {
            throw message.error;
          }
          return "complete";
        case "imaging-use-unicast":
          context.say(`going on by unicast: ${message.reason}`);
          return "use-unicast";
      }
    }
  } finally {
    await session?.close();
  }
}
