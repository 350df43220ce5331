import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  approve,
  bootEventsSince,
  bootToApproval,
  findRecord,
  isDiskUntouched,
  screenOf,
  untilScreen,
} from "../computer-story.ts";
import { openFlatRoom } from "../flat-room.ts";
import { type LabSite, until } from "../site.ts";
import type { VirtualComputer } from "../virtual-computer.ts";

type Job = { readonly id: string; readonly state: string; readonly runs: readonly { computerId: string }[] };

/**
 *   pc1 (BIOS)   pc2 (UEFI)
 *      │            │
 *   ───┴─────┬──────┴─────┬──── room, 192.168.10.0/24
 *            │            │
 *     site's dnsmasq   server 192.168.10.1
 *
 * New computers show a menu on their console once they are approved: a key chooses at pc1, time at pc2. Asked again, pc2
 * is sent to its own disk.
 */
export async function menuOfNewComputers(site: LabSite): Promise<void> {
  const { steps } = site;
  await openFlatRoom(site);
  const [taken, chosen] = [await createJob(site, "taken"), await createJob(site, "chosen")];
  const set = [
    "initial-deployment",
    "set",
    "--action",
    "menu",
    "--jobs",
    "taken,chosen",
    "--default",
    "taken",
  ];
  await site.portolan(...set, "--timeout", "20s");
  const pc1 = await site.addComputer({ name: "pc1", firmware: "bios", segment: "room" });
  const pc2 = await site.addComputer({ name: "pc2", firmware: "uefi", segment: "room" });

  await steps.do("pc1 waits for approval, without a menu", async () => {
    await bootToApproval(site, pc1);
    if ((await screenOf(pc1)).includes("What shall this computer do?")) {
      throw new Error("pc1 shows a menu, and nobody has let it in");
    }
  });
  await steps.do("approved, it shows the menu; arrow and Enter choose the second job", async () => {
    await approve(site, pc1);
    await untilScreen(pc1, "What shall this computer do?");
    pc1.type("\u001b[B");
    await untilScreen(pc1, "> 2  chosen");
    pc1.type("\r");
    await untilDone(site, chosen, pc1);
  });
  await steps.do("at pc2 nobody is there: time takes the default", async () => {
    await bootToApproval(site, pc2);
    await approve(site, pc2);
    await untilDone(site, taken, pc2);
  });
  await steps.do("asked again, pc2 is sent to its own disk by a key", async () => {
    await pc2.powerOff();
    const record = await findRecord(site, pc2);
    await site.portolan("initial-deployment", "ask", record?.id ?? "");
    const seen = (await screenOf(pc2)).length;
    pc2.powerOn();
    await untilScreen(pc2, "What shall this computer do?", seen);
    const since = Date.now();
    const off = pc2.waitOff(120_000);
    pc2.type("3");
    await off;
    pc2.powerOn();
    await until("pc2 is left to its disk", 300_000, async () => {
      const events = await bootEventsSince(site, pc2, since);
      return events.some(({ reason }) => reason === "known-without-work") ? true : null;
    });
  });
  if (!(await isDiskUntouched(pc1)) || !(await isDiskUntouched(pc2))) {
    throw new Error("something was written to a disk, which no entry of this menu does");
  }
  steps.say("  nothing was written to a disk");
}

async function createJob(site: LabSite, name: string): Promise<string> {
  const path = join(site.folder, `${name}.yaml`);
  const task = "  - kind: run-script\n    environment: preboot\n    script: test -d /opt/portolan\n";
  await writeFile(path, `name: ${name}\ntasks:\n${task}`);
  return (await site.portolan<Job>("job", "create", path)).id;
}

async function untilDone(site: LabSite, jobId: string, computer: VirtualComputer): Promise<void> {
  const record = await findRecord(site, computer);
  await until(`${computer.plan.name} has done its job`, 120_000, async () => {
    const { state, runs } = await site.portolan<Job>("job", "show", jobId);
    const isIts = runs.length === 1 && runs[0]?.computerId === record?.id;
    return state === "done" && isIts ? true : null;
  });
}
