import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DiskFile } from "./disk-files.ts";
import { runProgram } from "./run-program.ts";

/** The operator's key, and the host keys of computers that let it in; for OpenSSH as it is. */
export class SshAccess {
  readonly #folder: string;
  readonly #operatorKey: string;
  /** For `ssh -F`. */
  readonly configPath: string;

  private constructor(folder: string, operatorKey: string) {
    this.#folder = folder;
    this.#operatorKey = operatorKey;
    this.configPath = join(folder, "ssh_config");
  }

  static async create(folder: string): Promise<SshAccess> {
    const access = new SshAccess(folder, await createKey(folder, "operator-key"));
    const lines = [
      `IdentityFile ${join(folder, "operator-key")}`,
      "IdentitiesOnly yes",
      `UserKnownHostsFile ${join(folder, "known_hosts")}`,
      "GlobalKnownHostsFile none",
      "StrictHostKeyChecking yes",
    ];
    await writeFile(access.configPath, `${lines.join("\n")}\n`);
    await writeFile(join(folder, "known_hosts"), "");
    return access;
  }

  /** A host key of its own, known under the computer's name, and the right of the operator to come in as root. */
  async filesFor(name: string): Promise<DiskFile[]> {
    const keyName = `${name}-host-key`;
    const publicKey = await createKey(this.#folder, keyName);
    const known = join(this.#folder, "known_hosts");
    await writeFile(known, `${name} ${publicKey}`, { flag: "a" });
    return [
      {
        path: "/etc/ssh/ssh_host_ed25519_key",
        content: await readFile(join(this.#folder, keyName)),
        mode: "0600",
      },
      { path: "/root/.ssh/authorized_keys", content: this.#operatorKey, mode: "0600" },
    ];
  }

  /** The computer's name stands for this address from now on. */
  async addAddress(name: string, address: string): Promise<void> {
    const lines = [`Host ${name}`, `  HostName ${address}`, `  HostKeyAlias ${name}`];
    await writeFile(this.configPath, `${lines.join("\n")}\n`, { flag: "a" });
  }
}

async function createKey(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path]);
  return readFile(`${path}.pub`, "utf8");
}
