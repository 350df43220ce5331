import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NetworkHosts, networkTestObstacle } from "../network-hosts.ts";
import { createFolder } from "./agent-site.ts";
import { ManagedSite } from "./managed-site.ts";

const skip =
  networkTestObstacle("ip", "curl") ??
  (process.platform === "linux" && process.arch === "x64" ? false : "its stand-in is for linux-x64");

test(
  "pull: a line fetches the agent, a stand-in that notes how it was called, and runs nothing that was changed",
  { skip, timeout: 300_000 },
  async (t) => {
    const hosts = new NetworkHosts(t);
    hosts.segment("room", [
      { host: "server", interfaceName: "eth0", address: "10.9.0.1/24" },
      { host: "one", interfaceName: "eth0", address: "10.9.0.2/24" },
    ]);
    const site = new ManagedSite(hosts, createFolder(t));
    const server = await site.startServer();
    const siteKey = /^site key ([0-9a-f]{64})$/m.exec(server.output())?.[1];
    const [program, notes] = [join(site.folder, "stand-in"), join(site.folder, "notes")];
    writeFileSync(program, `#!/bin/sh\necho "$@" >> ${notes}\ncat >> ${notes}\n`);
    const pulled = site.portolan("computer", "pull-command", "--agent", program) as {
      line: string;
      token: string;
    };
    const run = (line: string) =>
      spawnSync("ip", ["netns", "exec", hosts.namespace("one"), "sh", "-c", line], {
        encoding: "utf8",
        timeout: 60_000,
      });
    const first = run(pulled.line);
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(readFileSync(notes, "utf8").trim().split("\n"), [
      `install --site-key=${siteKey} --server=10.9.0.1 --token=-`,
      pulled.token,
    ]);
    // Who changes the program on the server changes the script, and the line's hash is another's.
    appendFileSync(join(site.folder, "data/agents/portolan-agent-linux-x64"), "echo changed\n");
    const changed = run(pulled.line);
    assert.match(changed.stderr, /checksum did NOT match/);
    const other = run(pulled.line.replaceAll("10.9.0.1", "10.9.0.77"));
    assert.match(other.stderr, /curl: \(7\)/);
    assert.equal(readFileSync(notes, "utf8").trim().split("\n").length, 2);
  },
);
