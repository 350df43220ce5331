import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { TransferClient } from "#platform/transfer-client.ts";
import type { TransferAccess } from "#wire/control/task-message.ts";
import type { TaskContext } from "../task.ts";

/** Opens the transfer that the server has given this computer the right to. @throws PinError | NetworkError */
export async function connectTransfer(
  context: Pick<TaskContext, "serverAddress" | "siteKeyFingerprint" | "identity">,
  { port, ticket }: TransferAccess,
): Promise<TransferClient> {
  const settings = { ...classicSettings, "transfer.port": port };
  const grant = grantSocket(findFlow(computeFlows(settings, { consolePort: 8443 }), "transfer.data"), {
    role: "agent",
    side: "connect",
  });
  const target = { address: context.serverAddress(), port, timeoutMs: 10_000 };
  const site = { siteKeyFingerprint: context.siteKeyFingerprint, ...context.identity() };
  return TransferClient.connect(grant, target, site, ticket);
}
