import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "#engine/image/manifest.ts";
import { attachLoop } from "#platform/loop-device.ts";
import type { ComputerIdentitySettings } from "#wire/control/image-task-message.ts";
import { agentPlaces } from "../agent-places.ts";
import { setConfiguration } from "../tasks/set-configuration.ts";
import { withMounted } from "./resize-file-system.ts";
import type { RestoreTarget } from "./restore-target.ts";
import { renewSshHostKeys } from "./ssh-host-keys.ts";

const mountNames = { ext: "ext4", xfs: "xfs", btrfs: "btrfs", ntfs: "ntfs" } as const;
/** Where a prepared Windows looks for its answers at first start. */
const windowsAnswerPath = "Windows/Panther/unattend.xml";

function isLinuxRoot(folder: string): boolean {
  return existsSync(join(folder, "etc/passwd")) && existsSync(join(folder, "etc/fstab"));
}

/** Where a Linux system is on a mounted file system; distributions with btrfs keep it in a subvolume. */
function findLinuxRoot(folder: string): string | null {
  return [folder, join(folder, "@"), join(folder, "@rootfs")].find(isLinuxRoot) ?? null;
}

/**
 * The identity of a Linux system whose root is a folder.
 *
 * @returns what could not be written, `null` when all was
 */
export async function writeLinuxIdentity(
  root: string,
  identity: ComputerIdentitySettings,
): Promise<string | null> {
  const { hostName, address } = identity;
  // Empty, and not absent: the system makes itself a new one, and does not take this for its very first start.
  await writeFile(join(root, "etc/machine-id"), "");
  const dbusPath = join(root, "var/lib/dbus/machine-id");
  if (existsSync(dbusPath) && (await stat(dbusPath)).isFile()) {
    await rm(dbusPath);
  }
  // The key of the agent that was captured with it: two computers with one key are one computer to the server.
  await rm(join(root, agentPlaces.state), { recursive: true, force: true });
  const sshFolder = join(root, "etc/ssh");
  const oldName = existsSync(join(root, "etc/hostname"))
    ? (await readFile(join(root, "etc/hostname"), "utf8")).trim()
    : "localhost";
  if (existsSync(sshFolder)) {
    await renewSshHostKeys(sshFolder, hostName ?? oldName);
  }
  const network =
    address === null
      ? null
      : {
          type: "static" as const,
          interfaceName: null,
          address: `${address.address}/${address.prefixLength}`,
          gateway: address.gateway,
          nameServers: address.nameServers,
        };
  const outcome = await setConfiguration(
    { kind: "set-configuration", hostName, domain: null, network },
    root,
  );
  return outcome.reason;
}

async function writeWindows(root: string, { unattend, hostName }: ComputerIdentitySettings): Promise<void> {
  if (unattend !== null) {
    const path = join(root, windowsAnswerPath);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, unattend.replaceAll("{name}", hostName ?? ""));
  }
}

/**
 * Gives the restored system the name, address and keys of this computer.
 *
 * @returns what was found and written, for people
 * @throws Error when nothing on the disk takes an identity, or it cannot be written
 */
export async function writeIdentity(
  target: RestoreTarget,
  manifest: Manifest,
  identity: ComputerIdentitySettings,
): Promise<readonly string[]> {
  const written: string[] = [];
  for (const partition of manifest.layout?.partitions ?? []) {
    const place = target.locate(partition.number, manifest);
    const { fileSystem } = partition;
    if (place === null || !(fileSystem in mountNames)) {
      continue;
    }
    const loop = await attachLoop(target.path, { ...place, isReadOnly: false });
    try {
      await withMounted(loop.path, mountNames[fileSystem as keyof typeof mountNames], async (folder) => {
        const root = findLinuxRoot(folder);
        if (root !== null) {
          const problem = await writeLinuxIdentity(root, identity);
          if (problem !== null) {
            throw new Error(`its identity could not be written: ${problem}`);
          }
          written.push(`Linux on partition ${partition.number}`);
        } else if (existsSync(join(folder, "Windows/System32"))) {
          await writeWindows(folder, identity);
          written.push(`Windows on partition ${partition.number}`);
        }
      });
    } finally {
      await loop.detach();
    }
  }
  if (written.length === 0) {
    throw new Error("no Linux and no Windows was found on the restored disk, so it has no identity to set");
  }
  return written;
}
