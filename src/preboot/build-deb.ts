import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describeUnit, unitName } from "#platform/describe-service.ts";

const runFile = promisify(execFile);

const programPath = "opt/portolan/portolan-agent";
export const agentSettingsPath = "etc/portolan/agent.toml";
const unitPath = `lib/systemd/system/${unitName}`;
const wantsPath = `/etc/systemd/system/multi-user.target.wants/${unitName}`;

/** The day of every file in the package: the same input makes the same package, on any day. */
const fileTimeSeconds = 1_700_000_000;

/** `DPKG_ROOT`: dpkg(1) installs into another root; nothing is started there. */
const scripts = {
  postinst: `#!/bin/sh
set -e
mkdir -p "$DPKG_ROOT$(dirname ${wantsPath})"
ln -sf /${unitPath} "$DPKG_ROOT${wantsPath}"
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl restart ${unitName}
fi
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ]; then
  rm -f "$DPKG_ROOT${wantsPath}"
  if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
    systemctl stop ${unitName}
  fi
fi
`,
  // Key and certificate go with the settings: a purged computer is a new one.
  postrm: `#!/bin/sh
set -e
if [ "$1" = purge ]; then
  rm -rf "$DPKG_ROOT/var/lib/portolan-agent"
fi
`,
} as const;

export type DebArchitecture = "amd64" | "arm64";

function describeControl(version: string, architecture: DebArchitecture, sizeBytes: number): string {
  return [
    "Package: portolan-agent",
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    "Maintainer: The Portolan authors <portolan@localhost>",
    `Installed-Size: ${Math.ceil(sizeBytes / 1024)}`,
    "Depends: libc6 (>= 2.28), libstdc++6",
    "Section: admin",
    "Priority: optional",
    "Description: Portolan agent of one site",
    " Connects to the deployment server whose key is in /etc/portolan/agent.toml, and to no other.",
    "",
  ].join("\n");
}

/**
 * A Debian package of the agent with the settings of one site; `dpkg -i` alone lets a computer look for its server.
 * Settings that were changed on a computer stay when it is installed again.
 *
 * @param settings content of the settings file
 * @returns hash and size of the package; the same for the same input
 * @throws when dpkg-deb is missing or fails
 */
export async function buildDeb(given: {
  readonly programPath: string;
  readonly architecture: DebArchitecture;
  readonly version: string;
  readonly settings: string;
  readonly outPath: string;
}): Promise<{ readonly sizeBytes: number; readonly sha256: string }> {
  const folder = await mkdtemp(join(tmpdir(), "portolan-deb-"));
  const place = async (path: string, mode: number, content: string | null): Promise<void> => {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    if (content === null) {
      await copyFile(given.programPath, target);
    } else {
      await writeFile(target, content);
    }
    await chmod(target, mode);
  };
  try {
    await chmod(folder, 0o755);
    const { size } = await stat(given.programPath);
    await place(programPath, 0o755, null);
    await place(agentSettingsPath, 0o644, given.settings);
    await place(unitPath, 0o644, describeUnit(`/${programPath}`));
    await place("DEBIAN/control", 0o644, describeControl(given.version, given.architecture, size));
    await place("DEBIAN/conffiles", 0o644, `/${agentSettingsPath}\n`);
    for (const [name, text] of Object.entries(scripts)) {
      await place(`DEBIAN/${name}`, 0o755, text);
    }
    await mkdir(dirname(given.outPath), { recursive: true });
    await runFile("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", folder, given.outPath], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(fileTimeSeconds) },
      timeout: 600_000,
    });
    const bytes = await readFile(given.outPath);
    return { sizeBytes: bytes.byteLength, sha256: createHash("sha256").update(bytes).digest("hex") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
