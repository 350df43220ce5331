import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { test } from "node:test";
import { networkTestObstacle } from "../network-hosts.ts";
import { JobSite, type ListedJob } from "./job-site.ts";

const skip = networkTestObstacle("ip", "tar") ?? false;

const jobText = `name: Story
tasks:
  - kind: wake
  - kind: inventory
  - kind: install-package
    package: hello
  - name: fails
    kind: run-script
    script: |
      echo "it is broken" >&2
      exit 7
    codes:
      "7": jump copy
  - kind: run-script
    script: touch FOLDER/never
  - name: copy
    kind: copy-file
    content: "hello from the job"
    destination: /mnt/hello/motd
    mode: "0640"
  - kind: restart
  - name: check
    kind: run-script
    script: |
      set -e
      grep -q greeting /mnt/hello/greeting
      grep -q "hello from the job" /mnt/hello/motd
      test "$(stat -c %a /mnt/hello/motd)" = 640
      test -e /mnt/hello/installed
      echo checked >> FOLDER/checked
`;

type Preview = {
  readonly computers: readonly {
    readonly steps: readonly { readonly text: string }[];
    readonly obstacles: string[];
  }[];
};
type ShownRun = {
  readonly steps: readonly {
    readonly state: string;
    readonly taskIndex: number;
    readonly exitCode: number | null;
  }[];
};

test(
  "job: inventory, package, a script that fails and jumps, file, restart (of the agent's process alone), check",
  { skip, timeout: 600_000 },
  async (t) => {
    const site = new JobSite(t, ["pc1", "pc2"]);
    await site.startServer();
    const agents = await site.startComputers();
    site.write("hello/files/mnt/hello/greeting", "greeting\n");
    chmodSync(site.write("hello/install.sh", "touch /mnt/hello/installed\n"), 0o755);
    site.write("hello/package.yaml", "version: 1.2.3\n");
    const added = site.portolan("package", "add", `${site.folder}/hello`) as { state: string };
    assert.equal(added.state, "done", JSON.stringify(added));
    const computers = ["10.8.0.2", "10.8.0.3"].map((address) => site.idOf(address));
    const path = site.write(
      "job.yaml",
      `${jobText.replaceAll("FOLDER", site.folder)}computers: [${computers.join(", ")}]\n`,
    );
    const preview = site.portolan("job", "create", path, "--dry-run") as Preview;
    assert.equal(preview.computers.length, 2);
    const texts = preview.computers[0]?.steps.map(({ text }) => text) ?? [];
    t.diagnostic(texts.join(" | "));
    assert.match(texts.join("|"), /installs hello 1\.2\.3/);
    assert.deepEqual(preview.computers[0]?.obstacles, []);
    assert.deepEqual(site.portolan("job", "list"), [], "a dry run makes no job");

    const created = site.portolan("job", "create", path) as ListedJob;
    const job = await site.waitForJob(created.id, 300_000);
    const logs = agents.map((agent) => agent.output()).join("\n");
    assert.equal(job.state, "done", `${JSON.stringify(job)}\n${logs}`);
    assert.equal(site.read("never"), "", "the task that was jumped over did not run");
    assert.equal(site.read("checked"), "checked\nchecked\n");
    assert.equal(site.read("bin/systemctl.log"), "reboot\nreboot\n");
    const shown = site.portolan("job", "run", job.runs[0]?.id ?? "") as ShownRun;
    const path7 = shown.steps.filter(({ state }) => state === "running").map(({ taskIndex }) => taskIndex);
    t.diagnostic(JSON.stringify(shown.steps));
    assert.deepEqual(path7, [1, 3, 6, 7], "inventory, the failing script, restart, check: no 4");
    assert.ok(shown.steps.some(({ exitCode }) => exitCode === 7));
    const again = site.portolan("job", "assign", created.id, computers[0] ?? "") as ListedJob;
    const second = await site.waitForJob(again.id, 300_000);
    assert.equal(second.state, "done", JSON.stringify(second));
    await agents[0]?.waitFor("hello 1.2.3 is installed already");
    const history = site.portolan("job", "history", computers[0] ?? "") as { jobName: string }[];
    assert.equal(history.length, 2);
  },
);
