import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostProcess, NetworkHosts } from "../network-hosts.ts";

/** Mounts own copies of what an installation writes, then becomes the SSH server. Arguments: folder, configuration. */
const startScript = `
set -e
cp -a /etc "$1/etc"
mkdir -p "$1/opt" "$1/log" "$1/lib"
mount --bind "$1/etc" /etc
mount --bind "$1/opt" /opt
mount --bind "$1/log" /var/log
mount --bind "$1/lib" /var/lib
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
exec /usr/sbin/sshd -D -e -f "$2"
`;

/** Computers that OpenSSH reaches, each with its own /etc, /opt and /var/lib; what runs there ends with them. */
export class SshHosts {
  readonly #hosts: NetworkHosts;
  readonly #folder: string;
  /** For `ssh -F`: one key that is let in, and the host keys that are right. */
  readonly configPath: string;

  constructor(hosts: NetworkHosts, folder: string) {
    this.#hosts = hosts;
    this.#folder = folder;
    this.configPath = join(folder, "ssh_config");
    this.#createKey("operator-key");
    const lines = [
      `IdentityFile ${join(folder, "operator-key")}`,
      "IdentitiesOnly yes",
      `UserKnownHostsFile ${join(folder, "known_hosts")}`,
      "GlobalKnownHostsFile none",
      "StrictHostKeyChecking yes",
    ];
    writeFileSync(this.configPath, `${lines.join("\n")}\n`);
    writeFileSync(join(folder, "known_hosts"), "");
  }

  #createKey(name: string): string {
    const path = join(this.#folder, name);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path]);
    return readFileSync(`${path}.pub`, "utf8");
  }

  /** Where the file of a computer is on the test's own file system. */
  pathOf(host: string, path: string): string {
    const place = path.replace(/^\/var\/(log|lib)/, "/$1");
    return join(this.#folder, `${host}-root`, place);
  }

  async start(host: string, address: string): Promise<HostProcess> {
    const root = join(this.#folder, `${host}-root`);
    mkdirSync(root);
    const hostKey = this.#createKey(`${host}-host-key`);
    const known = join(this.#folder, "known_hosts");
    writeFileSync(known, `${readFileSync(known, "utf8")}${address} ${hostKey}`);
    const allowed = join(root, "authorized_keys");
    writeFileSync(allowed, readFileSync(join(this.#folder, "operator-key.pub")));
    chmodSync(allowed, 0o600);
    const configPath = join(root, "sshd_config");
    const lines = [
      `ListenAddress ${address}`,
      `HostKey ${join(this.#folder, `${host}-host-key`)}`,
      `AuthorizedKeysFile ${allowed}`,
      "PermitRootLogin prohibit-password",
      "PasswordAuthentication no",
      // The folder of a test is below /tmp, which anybody may write into.
      "StrictModes no",
      "PidFile none",
    ];
    writeFileSync(configPath, `${lines.join("\n")}\n`);
    const unshare = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"];
    const args = [...unshare, "sh", "-c", startScript, "sh", root, configPath];
    const started = this.#hosts.start(host, "unshare", args);
    await started.waitFor("Server listening on", 60_000);
    return started;
  }
}
