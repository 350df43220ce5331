import type { OperationResource } from "#api/server-api.ts";
import type { ApiClient } from "./api-client.ts";
import type { CommandAnswer } from "./cli-context.ts";
import { printable } from "./printable-text.ts";

/** Follows long work inside the server to its end, with one line that moves on a terminal. */
export async function followOperation(
  client: ApiClient,
  started: OperationResource,
  stdout: NodeJS.WriteStream | null,
): Promise<CommandAnswer> {
  let operation = started;
  let shownTenth = -1;
  while (operation.state === "running") {
    await new Promise((wake) => {
      setTimeout(wake, 300);
    });
    operation = await client.call("showOperation", { id: operation.id });
    const tenth = Math.floor(operation.percent / 10);
    const line = `${operation.title}: ${operation.percent.toFixed(0)} % ${printable(operation.detail)}`;
    if (stdout?.isTTY === true) {
      stdout.write(`\r\u001b[2K${line}`);
    } else if (stdout !== null && tenth !== shownTenth) {
      stdout.write(`${line}\n`);
      shownTenth = tenth;
    }
  }
  if (stdout?.isTTY === true) {
    stdout.write("\n");
  }
  const isDone = operation.state === "done";
  return {
    json: operation,
    text: isDone
      ? `${operation.title}: done; ${operation.detail}`
      : `${operation.title}: failed: ${operation.error}`,
    exitCode: isDone ? 0 : 1,
  };
}
