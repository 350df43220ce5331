import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { blockedForMs, countAttempt, type LockAttempts, noAttempts } from "#engine/agent/lock-attempts.ts";
import { writeDurably } from "#platform/durable-file.ts";
import { isPassword } from "#platform/password-hash.ts";
import { AgentConfigError } from "./config.ts";

/**
 * Lets a local change pass when the password is right. It keeps helpers and users from changing what the operator has set;
 * who is root here can edit the file itself.
 *
 * @throws AgentConfigError when it is missing, wrong, or too many were wrong
 */
export async function openLock(given: {
  readonly lock: string | null;
  readonly password: string | undefined;
  readonly stateDir: string;
  readonly nowMs: number;
}): Promise<void> {
  const { lock, password, stateDir, nowMs } = given;
  if (lock === null) {
    return;
  }
  if (password === undefined) {
    throw new AgentConfigError(
      "these settings are locked; give --password, or put it into PORTOLAN_AGENT_PASSWORD",
    );
  }
  const path = join(stateDir, "lock-attempts.json");
  const attempts = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as LockAttempts) : noAttempts;
  const leftMs = blockedForMs(attempts, nowMs);
  if (leftMs > 0) {
    throw new AgentConfigError(
      `too many wrong passwords: the next is looked at in ${Math.ceil(leftMs / 60_000)} min; portolan computer settings on the server sets a new one at once`,
    );
  }
  await writeDurably(path, Buffer.from(JSON.stringify(countAttempt(attempts, nowMs))), 0o600);
  if (!(await isPassword(password, lock))) {
    throw new AgentConfigError("the password is wrong");
  }
  await writeDurably(path, Buffer.from(JSON.stringify(noAttempts)), 0o600);
}
