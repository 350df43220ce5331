// Runs under any Node from 20 on, with nothing installed: gets what the command needs, then hands over to Node 26.
// usage: node tools/bootstrap.mjs GROUP[,GROUP…] PROGRAM [ARG…]     groups: see tools/debian-packages.json
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodePath = join(root, "node_modules", "node", "bin", "node");
const stampPath = join(root, "node_modules", ".portolan-lockfile");

function say(text) {
  process.stderr.write(`portolan: ${text}\n`);
}

function stop(text) {
  say(text);
  process.exit(1);
}

function run(program, args, env = {}) {
  const outcome = spawnSync(program, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  if (outcome.error) {
    stop(`${program} could not be started: ${outcome.error.message}`);
  }
  return outcome.status ?? 1;
}

/** npm packages and Node 26, exactly as locked. The stamp makes a second run cost nothing. */
function installNpmPackages() {
  const lockHash = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const isCurrent = existsSync(stampPath) && readFileSync(stampPath, "utf8") === lockHash;
  if (isCurrent && existsSync(nodePath)) {
    return;
  }
  say("installing npm packages and Node 26 (about 400 MB, once) …");
  const status = run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel", "error"]);
  if (status !== 0) {
    stop(`npm ci failed with exit code ${status}; its own words are above`);
  }
  if (!existsSync(nodePath)) {
    // npm was told not to run install scripts; this one only fetches the locked Node for this processor.
    run("node", [join("node_modules", "node", "installArchSpecificPackage.js")]);
  }
  if (!existsSync(nodePath)) {
    stop(
      "the npm package node did not bring node_modules/node/bin/node; allow its install script and run again",
    );
  }
  writeFileSync(stampPath, lockHash);
}

function listMissingPackages(names) {
  const asked = spawnSync("dpkg-query", ["-W", "-f", "${db:Status-Abbrev} ${Package}\n", ...names], {
    encoding: "utf8",
  });
  if (asked.error) {
    stop("this needs a Debian or Ubuntu system (dpkg-query was not found)");
  }
  const installed = new Set(
    asked.stdout
      .split("\n")
      .filter((line) => line.startsWith("ii"))
      .map((line) => line.split(/\s+/).at(-1)),
  );
  return names.filter((name) => !installed.has(name));
}

/** Debian packages of the groups. Services they bring are not started: the tests start their own. */
function installDebianPackages(groups) {
  const table = JSON.parse(readFileSync(join(root, "tools", "debian-packages.json"), "utf8"));
  const names = groups.flatMap((group) => Object.keys(table[group]));
  const missing = listMissingPackages(names);
  if (missing.length === 0) {
    return;
  }
  say("these Debian packages are missing:");
  for (const group of groups) {
    for (const [name, reason] of Object.entries(table[group])) {
      if (missing.includes(name)) {
        say(`  ${name.padEnd(24)} ${reason}`);
      }
    }
  }
  if (process.getuid?.() !== 0) {
    stop(
      `install them as root, then run this again:\n  apt-get install --no-install-recommends ${missing.join(" ")}`,
    );
  }
  say("installing them …");
  const quiet = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  run("apt-get", ["update", "-qq"], quiet);
  const status = withServicesHeld(() =>
    run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], quiet),
  );
  const stillMissing = listMissingPackages(names);
  if (status !== 0 || stillMissing.length > 0) {
    stop(`apt-get could not install: ${stillMissing.join(" ")}; its own words are above`);
  }
}

/** Packages such as PostgreSQL start a service when installed; a policy file says no while we install. */
function withServicesHeld(work) {
  const policyPath = "/usr/sbin/policy-rc.d";
  if (existsSync(policyPath)) {
    return work();
  }
  writeFileSync(policyPath, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    return work();
  } finally {
    spawnSync("rm", ["-f", policyPath]);
  }
}

/** Built when it is missing or has changed; costs nothing otherwise. */
function buildConsole() {
  const args = ["--disable-warning=ExperimentalWarning", join("tools", "build-console.ts")];
  if (run(nodePath, args) !== 0) {
    stop("the console could not be built; what is wrong with it is above");
  }
}

const [groupList = "", program, ...args] = process.argv.slice(2);
if (process.platform !== "linux") {
  stop(`this runs on Linux; on ${process.platform} use a Debian or Ubuntu machine or virtual machine`);
}
installNpmPackages();
installDebianPackages(groupList.split(",").filter((group) => group !== ""));
buildConsole();
if (program !== undefined) {
  const outcome = spawnSync(
    nodePath,
    ["--disable-warning=ExperimentalWarning", join(root, program), ...args],
    {
      cwd: root,
      stdio: "inherit",
      env: {
        ...process.env,
        PATH: `${dirname(nodePath)}:${process.env.PATH}`,
        // What the sources compile to, for the many programs that one command starts.
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, "node_modules/.cache/portolan"),
      },
    },
  );
  if (outcome.signal !== null) {
    process.kill(process.pid, outcome.signal);
  }
  process.exit(outcome.status ?? 1);
}
