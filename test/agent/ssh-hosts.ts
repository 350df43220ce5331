import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HostProcess, NetworkHosts } from "../network-hosts.ts";
import type { FakeWindows } from "./fake-windows-shell.ts";

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

/** As `startScript`, with a drive `/C:` beside the system's folders. The third argument is the login shell. */
const startWindowsScript = `
set -e
mkdir -p "$1/C:/Program Files" "$1/root"
mount -t tmpfs tmpfs "$1/root"
for path in /*; do
  if [ -L "$path" ]; then cp -a "$path" "$1/root$path"
  elif [ -d "$path" ]; then mkdir "$1/root$path"; mount --rbind "$path" "$1/root$path"; fi
done
mkdir "$1/root/C:"
mount --bind "$1/C:" "$1/root/C:"
cp -a /etc "$1/etc"
sed -i "s#^\\(root:.*\\):.*#\\1:$3#" "$1/etc/passwd"
mkdir -p "$1/opt" "$1/log" "$1/lib"
mount --bind "$1/etc" "$1/root/etc"
mount --bind "$1/opt" "$1/root/opt"
mount --bind "$1/log" "$1/root/var/log"
mount --bind "$1/lib" "$1/root/var/lib"
mount -t tmpfs tmpfs "$1/root/run"
mkdir -m 755 "$1/root/run/sshd"
exec chroot "$1/root" /usr/sbin/sshd -D -e -f "$2"
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
    return this.#start(host, address, [], [startScript]);
  }

  /** A computer whose shell plays Windows, with its drive at `pathOf(host, "C:")`. */
  async startFakeWindows(
    host: string,
    address: string,
    windows: FakeWindows & { readonly hasSftp: boolean },
  ): Promise<HostProcess> {
    const shell = join(this.#folder, `${host}-shell`);
    const words = [process.execPath, join(import.meta.dirname, "fake-windows-shell.ts")];
    const description = `'/C:' '${JSON.stringify(windows)}'`;
    writeFileSync(shell, `#!/bin/sh\nexec ${words.join(" ")} ${description} "$@"\n`, { mode: 0o755 });
    // Within the server: any other would be started by the login shell.
    const sftp = windows.hasSftp ? ["Subsystem sftp internal-sftp"] : [];
    return this.#start(host, address, sftp, [startWindowsScript, shell]);
  }

  async #start(
    host: string,
    address: string,
    more: readonly string[],
    [script, ...shell]: readonly [string, ...string[]],
  ): Promise<HostProcess> {
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
      ...more,
    ];
    writeFileSync(configPath, `${lines.join("\n")}\n`);
    const unshare = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"];
    const args = [...unshare, "sh", "-c", script, "sh", root, configPath, ...shell];
    const started = this.#hosts.start(host, "unshare", args);
    await started.waitFor("Server listening on", 60_000);
    return started;
  }
}
