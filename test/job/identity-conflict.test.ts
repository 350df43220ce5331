import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type HostProcess, networkTestObstacle } from "../network-hosts.ts";
import { JobSite, type ListedJob } from "./job-site.ts";

const skip = networkTestObstacle("ip", "mount") ?? false;
const [firstUuid, secondUuid] = [
  "11111111-2222-4333-8444-555555555555",
  "66666666-7777-4888-8999-aaaaaaaaaaaa",
];

type Listed = { readonly address: string | null; readonly state: string; readonly reason: string | null };

function startBoard(site: JobSite, host: string, uuid: string, serial: string): HostProcess {
  site.writeSettings(host, { server: "10.8.0.1" });
  const agent = [process.execPath, "src/agent/main.ts", "run", "--config", site.settingsPath(host)];
  const folder = join(site.folder, `board-${serial}`);
  return site.hosts.start(host, "/bin/sh", ["test/job/fake-board.sh", folder, uuid, serial, ...agent]);
}

/** A job that would write the disk in ten minutes. */
function assignDeployment(site: JobSite, id: string): ListedJob {
  const tasks = "[{kind: wait, durationMs: 10 min}, {kind: deploy-image, image: tiny}]";
  const path = site.write("later.yaml", `name: later\ntasks: ${tasks}\ncomputers: [${id}]\n`);
  return site.portolan("job", "create", path) as ListedJob;
}

async function untilHeld(site: JobSite, id: string): Promise<Listed> {
  for (;;) {
    const found = site.portolan("computer", "show", id) as Listed;
    if (found.state === "conflict") {
      return found;
    }
    await sleep(200);
  }
}

/** The job that was under way is over before it writes, says why, and no new one is taken. */
async function expectHeld(site: JobSite, id: string, job: ListedJob, why: RegExp): Promise<void> {
  const held = await untilHeld(site, id);
  assert.match(held.reason ?? "", why);
  const ended = await site.waitForJob(job.id, 180_000);
  assert.equal(ended.runs[0]?.state, "cancelled");
  assert.match(ended.runs[0]?.reason ?? "", why);
  assert.throws(() => site.portolan("deploy", "tiny", id), why, "a new deployment is refused");
}

test(
  "conflict (fake boards): a copied UUID and a moved card end what would write a disk, and are shown",
  { skip, timeout: 300_000 },
  async (t) => {
    const site = new JobSite(t, ["pc1", "pc2", "pc3"]);
    await site.startServer();
    writeFileSync(join(site.folder, "tiny.raw"), randomBytes(1 << 20));
    site.portolan("image", "import", join(site.folder, "tiny.raw"), "tiny");
    const boards = [startBoard(site, "pc1", firstUuid, "S1"), startBoard(site, "pc2", secondUuid, "S2")];
    await Promise.all(boards.map((board) => board.waitFor("waiting for approval", 60_000)));
    site.approveAll();
    await Promise.all(boards.map((board) => board.waitFor("connected as", 60_000)));
    const [one, two] = [site.idOf("10.8.0.2"), site.idOf("10.8.0.3")];
    const jobs = [assignDeployment(site, one), assignDeployment(site, two)] as const;

    const copy = startBoard(site, "pc3", firstUuid, "S3");
    await copy.waitFor("Another board shows the same UUID", 60_000);
    await expectHeld(site, one, jobs[0], /Another board shows the same UUID/);

    copy.child.kill("SIGKILL");
    const card = site.hosts.run("pc2", "cat", ["/sys/class/net/eth0/address"]).trim();
    site.hosts.run("pc2", "ip", ["link", "set", "eth0", "down"]);
    site.hosts.run("pc3", "ip", ["link", "set", "eth0", "address", card]);
    const moved = startBoard(site, "pc3", "bbbbbbbb-cccc-4ddd-8eee-ffffffffffff", "S4");
    await moved.waitFor("a moved card, a shared dock or a new board", 60_000);
    await expectHeld(site, two, jobs[1], /a moved card, a shared dock or a new board/);
  },
);
