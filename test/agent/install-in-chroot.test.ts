import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";

const skip = networkTestObstacle("unshare", "chroot", "mount") ?? false;

/** A file system of its own as root, as an installer has it below /target; programs are this machine's. */
const script = `set -e
root=$(mktemp -d)
mount -t tmpfs none "$root"
mkdir "$root/etc" "$root/var" "$root/tmp" "$root/run"
mount -t proc proc /proc
for folder in /usr /proc /dev "$PWD"; do
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
for link in bin sbin lib lib64; do ln -s "usr/$link" "$root/$link"; done
chroot "$root" /bin/sh -c 'cd "$1" && exec "$2" src/agent/main.ts install --site-key "$3" --server 192.0.2.1' sh "$PWD" "$1" "$2"
ls -l "$root/etc/systemd/system/multi-user.target.wants"
ls "$root/run"
`;

test(
  "agent install: in a root that this computer does not run from, as in an installer's last command, it is placed and not started",
  { skip, timeout: 120_000 },
  () => {
    const args = ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh"];
    const ended = spawnSync("unshare", [...args, process.execPath, "ab".repeat(32)], { encoding: "utf8" });
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stdout, /this is a system that is being installed: the agent starts with it/);
    assert.match(ended.stdout, /portolan-agent\.service -> /);
    assert.doesNotMatch(ended.stdout, /the agent is running|portolan-agent\.pid/);
  },
);
