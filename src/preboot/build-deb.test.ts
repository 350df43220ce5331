import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildDeb } from "./build-deb.ts";

const skip =
  process.getuid?.() !== 0
    ? "needs root: dpkg gives files to root"
    : existsSync("/usr/bin/dpkg-deb")
      ? false
      : "needs dpkg-deb";

test(
  "agent package: the same twice; installs into a root, keeps changed settings, goes without a trace",
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "portolan-deb-test-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const programPath = join(folder, "program");
    writeFileSync(programPath, "#!/bin/sh\nexit 0\n");
    const build = (name: string, settings = 'siteKey = "aa"\n') => {
      const outPath = join(folder, name);
      return buildDeb({ programPath, architecture: "amd64", version: "1.2.3", settings, outPath });
    };
    const [first, second] = [await build("one.deb"), await build("two.deb")];
    assert.equal(first.sha256, second.sha256);
    const root = join(folder, "root");
    mkdirSync(join(root, "var/lib/dpkg/info"), { recursive: true });
    mkdirSync(join(root, "var/lib/dpkg/updates"));
    writeFileSync(join(root, "var/lib/dpkg/status"), "");
    const dpkg = (...args: readonly string[]): void => {
      const forces = [
        "--force-script-chrootless",
        "--force-depends",
        "--force-confold",
        "--force-architecture",
      ];
      execFileSync("dpkg", [`--root=${root}`, "--log=/dev/null", ...forces, ...args], {
        stdio: ["ignore", "ignore", "pipe"],
      });
    };
    dpkg("-i", join(folder, "one.deb"));
    const settingsPath = join(root, "etc/portolan/agent.toml");
    const linkPath = join(root, "etc/systemd/system/multi-user.target.wants/portolan-agent.service");
    assert.equal(readFileSync(settingsPath, "utf8"), 'siteKey = "aa"\n');
    assert.equal(statSync(join(root, "opt/portolan/portolan-agent")).mode & 0o7777, 0o755);
    assert.equal(readlinkSync(linkPath), "/lib/systemd/system/portolan-agent.service");
    const unit = readFileSync(join(root, "lib/systemd/system/portolan-agent.service"), "utf8");
    assert.match(unit, /^ExecStart=\/opt\/portolan\/portolan-agent run --environment os$/m);
    writeFileSync(settingsPath, 'siteKey = "aa"\nserver = "10.0.0.1"\n');
    await build("three.deb", 'siteKey = "bb"\n');
    dpkg("-i", join(folder, "three.deb"));
    assert.match(readFileSync(settingsPath, "utf8"), /10\.0\.0\.1/);
    mkdirSync(join(root, "var/lib/portolan-agent"));
    dpkg("--purge", "portolan-agent");
    const left = [
      "opt/portolan",
      "etc/portolan",
      "var/lib/portolan-agent",
      "lib/systemd/system/portolan-agent.service",
    ];
    assert.deepEqual(
      left.filter((path) => existsSync(join(root, path))),
      [],
    );
    assert.throws(() => readlinkSync(linkPath), { code: "ENOENT" });
  },
);
