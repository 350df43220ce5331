import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "#platform/sim/seeded-random.ts";
import { type HostProcess, networkTestObstacle } from "../network-hosts.ts";
import { JobSite, type ListedJob } from "./job-site.ts";

const skip = networkTestObstacle("ip", "tar", "setpriv") ?? false;
const seed = Number(process.env["PORTOLAN_TEST_SEED"] ?? "7");
const killCountMax = 60;

const jobText = `name: Survivor
tasks:
  - kind: inventory
  - kind: install-package
    package: hello
  - name: fails
    kind: run-script
    script: |
      echo fails >> FOLDER/ran
      sleep 1
      exit 7
    codes:
      "7": jump once
  - kind: run-script
    script: echo never >> FOLDER/ran
  - name: once
    kind: run-script
    script: |
      echo once >> FOLDER/ran
      sleep 1
  - kind: copy-file
    content: text
    destination: /mnt/text
  - kind: restart
  - kind: run-script
    script: |
      grep -q text /mnt/text
      echo last >> FOLDER/ran
`;

/** Resolves with the signal that ended it. */
function endOf(process: HostProcess): Promise<string | null> {
  const { child } = process;
  return child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.signalCode)
    : new Promise((resolve) => {
        child.once("exit", (_code, signal) => resolve(signal));
      });
}

test(
  `job: the server is killed -9 at each of its steps, before or after it is stored (seed ${seed}); each script runs once`,
  { skip, timeout: 1_200_000 },
  async (t) => {
    const random = seededRandom(seed);
    const site = new JobSite(t, ["pc1"]);
    const first = await site.startServer();
    await site.startComputers();
    site.write("hello/files/mnt/hello", "greeting\n");
    site.portolan("package", "add", `${site.folder}/hello`);
    const path = site.write(
      "job.yaml",
      `${jobText.replaceAll("FOLDER", site.folder)}computers: [${site.idOf("10.8.0.2")}]\n`,
    );
    first.child.kill("SIGKILL");
    await endOf(first);
    let killCount = 0;
    const phases = { before: 0, after: 0 };
    for (let life = 0; life < killCountMax; life += 1) {
      // A step that is never stored is never passed: now and then the server lives one step longer.
      const phase = random() < 0.35 ? "before" : "after";
      const server = site.spawnServer("eth0", {
        NODE_OPTIONS: `--import=${new URL("kill-at-write.ts", import.meta.url).href} --disable-warning=ExperimentalWarning`,
        PORTOLAN_TEST_KILL_AT: "1",
        PORTOLAN_TEST_KILL_PHASE: phase,
      });
      if (life === 0) {
        await server.waitFor("\nready", 60_000);
        // Its first step ends the server, perhaps before the command has its answer; the job is stored by then.
        site.startPortolan("job", "create", path);
      }
      const ended: string | null = await Promise.race([endOf(server), waitUntilOver(site, server)]);
      if (ended === "over") {
        server.child.kill("SIGKILL");
        break;
      }
      assert.equal(ended, "SIGKILL", server.output());
      killCount += 1;
      phases[phase] += 1;
    }
    await site.startServer();
    const jobs = site.portolan("job", "list") as ListedJob[];
    assert.equal(jobs.length, 1);
    const job = await site.waitForJob(jobs[0]?.id ?? "", 300_000);
    t.diagnostic(
      `killed ${killCount} times: ${phases.before} before, ${phases.after} after a step was stored`,
    );
    assert.equal(job.state, "done", JSON.stringify(job));
    assert.equal(job.runs.length, 1);
    assert.deepEqual(site.read("ran").trim().split("\n"), ["fails", "once", "last"]);
    assert.equal(site.read("bin/systemctl.log"), "reboot\n", "restarted once");
    assert.ok(killCount >= 10, `${killCount} kills for a job of at least ten steps`);
  },
);

/** `over` when the job has ended while this server lives. */
async function waitUntilOver(site: JobSite, server: HostProcess): Promise<"over"> {
  for (;;) {
    await sleep(2000);
    if (server.child.exitCode !== null || server.child.signalCode !== null) {
      await new Promise(() => undefined);
    }
    const job = await askForJob(site);
    if (job !== null && job.state !== "running") {
      return "over";
    }
  }
}

/** `null` when there is none yet, or the server died meanwhile. */
async function askForJob(site: JobSite): Promise<ListedJob | null> {
  const asking = site.startPortolan("job", "list", "--json");
  await asking.waitForEnd();
  try {
    const [job = null] = JSON.parse(asking.output()) as ListedJob[];
    return job;
  } catch {
    return null;
  }
}
