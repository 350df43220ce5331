import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { until } from "../agent/agent-site.ts";
import { networkTestObstacle } from "../network-hosts.ts";
import { JobSite, type ListedJob } from "./job-site.ts";

const hasDpkg = existsSync("/var/lib/dpkg/status");
const skip = hasDpkg ? (networkTestObstacle("ip", "mount") ?? false) : "this system has no dpkg";

type Software = {
  readonly packages: readonly { readonly name: string; readonly version: string }[];
  readonly users: readonly string[];
};

/** As an installation would, in this computer's own mounts: the test's host is not changed. */
const changeText = `name: Change
tasks:
  - kind: run-script
    script: |
      set -e
      cp /var/lib/dpkg/status /mnt/status
      printf '\\nPackage: portolan-probe\\nStatus: install ok installed\\nVersion: 1.0-3\\n\\n' >> /mnt/status
      mount --bind /mnt/status /var/lib/dpkg/status
      (cat /etc/passwd; echo ada-of-the-test:x:1815:1815::/home/ada:/bin/sh) > /mnt/passwd
      mount --bind /mnt/passwd /etc/passwd
`;

const conditionText = `name: Where it is
conditions:
  - name: has it
    when: { package: "portolan-probe 1.*", user: ada-of-the-test }
    tasks: [{ kind: wait, durationMs: 10 }]
  - name: has it not
    when: { package: "*" }
    tasks: [{ kind: wait, durationMs: 10 }]
`;

test(
  "software: packages and users are told, their change is in the history, and conditions ask for them",
  { skip, timeout: 900_000 },
  async (t) => {
    const site = new JobSite(t, ["pc1", "pc2"]);
    await site.startServer();
    await site.startComputers();
    const [one, two] = ["10.8.0.2", "10.8.0.3"].map((address) => site.idOf(address)) as [string, string];
    const read = (id: string): Software => site.portolan("computer", "software", id) as Software;
    await until(() => read(one).packages.length > 10 && read(two).packages.length > 10);
    assert.ok(read(one).packages.some(({ name, version }) => name === "bash" && version !== ""));
    assert.ok(read(one).users.includes("root"));

    const change = site.write("change.yaml", `${changeText}computers: [${one}]\n`);
    const changed = await site.waitForJob((site.portolan("job", "create", change) as ListedJob).id, 180_000);
    assert.equal(changed.state, "done", JSON.stringify(changed));
    await until(() => read(one).users.includes("ada-of-the-test"));
    const readHistory = (): string => JSON.stringify(site.portolan("computer", "history", one));
    await until(() => readHistory().includes("ada-of-the-test"));
    assert.match(readHistory(), /package added: portolan-probe 1\.0-3; user added: ada-of-the-test/);
    assert.ok(!read(two).users.includes("ada-of-the-test"), "the other computer is as it was");

    const where = site.write("where.yaml", `${conditionText}computers: [${one}, ${two}]\n`);
    const job = await site.waitForJob((site.portolan("job", "create", where) as ListedJob).id, 180_000);
    const conditions = new Map(
      (job.runs as readonly (ListedJob["runs"][number] & { readonly condition: string })[]).map((run) => [
        run.computerId,
        run.condition,
      ]),
    );
    assert.deepEqual([conditions.get(one), conditions.get(two)], ["has it", "has it not"]);
  },
);
