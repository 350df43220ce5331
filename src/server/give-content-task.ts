import type { NetworkInterface } from "#platform/network.ts";
import type { TaskMessage, TransferAccess } from "#wire/control/task-message.ts";
import type { Participant, ReceiverLink, Session } from "./imaging-record.ts";
import type { TransferService } from "./services/transfer-service.ts";

/**
 * Gives an agent its task of a session once everything it sends is in this server's store, with a ticket to fetch by
 * unicast what multicast does not bring. Does nothing when it has left meanwhile.
 */
export async function giveContentTask(
  session: Session,
  participant: Participant,
  given: {
    readonly transfers: Pick<TransferService, "issue">;
    readonly findLink: (computerId: string) => ReceiverLink | null;
    readonly interfaceOf: (link: ReceiverLink) => NetworkInterface | null;
    readonly toTask: (transfer: TransferAccess) => TaskMessage["task"];
  },
): Promise<void> {
  const isComplete = await session.whenComplete;
  const link = given.findLink(participant.computerId);
  if (!isComplete || link === null || session.participants.get(link.computerId) !== participant) {
    return;
  }
  const transfer = await given.transfers.issue({
    computerId: link.computerId,
    serverAddress: link.serverAddress,
    interfaceName: given.interfaceOf(link)?.name ?? null,
    right: { type: "read", manifestText: session.manifestText, chunkHashes: session.chunkHashes },
  });
  participant.ticket = transfer.ticket;
  link.send({ type: "task", key: participant.taskKey, task: given.toTask(transfer) });
}
