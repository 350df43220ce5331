import { open, stat } from "node:fs/promises";
import {
  approve,
  bootToApproval,
  findRecord,
  screenOf,
  startImaged,
  untilRecord,
} from "../computer-story.ts";
import { openFlatRoom } from "../flat-room.ts";
import { type LabSite, until } from "../site.ts";
import type { VirtualComputer } from "../virtual-computer.ts";

type Run = { computerId: string; state: string; reason: string | null; startedAt: number; endedAt: number };
type Job = { runs: readonly Run[] };

const mib = 1 << 20;
const sectorBytes = 512;
const backupTableBytes = 34 * sectorBytes;

/**
 *   pc1 (BIOS)   pc2 (BIOS), whose disk does not take one sector in the middle of the image
 *      │            │
 *   ───┴─────┬──────┴─────┬──── room, 192.168.10.0/24
 *            │            │
 *     site's dnsmasq   server 192.168.10.1
 *
 * Both are in one multicast session. pc2 fails and has no start, pc1 does not notice; mended, pc2 is imaged as well.
 */
export async function failingDisk(site: LabSite): Promise<void> {
  const { steps } = site;
  const software = await openFlatRoom(site);
  const sourcePath = await site.prepareSource(software, "192.168.10.1");
  await steps.do("importing the disk as image debian", () =>
    site.portolan("image", "import", sourcePath, "debian"),
  );
  const pc1 = await site.addComputer({ name: "pc1", firmware: "bios", segment: "room" });
  const pc2 = await site.addComputer({ name: "pc2", firmware: "bios", segment: "room", bootsFirst: "disk" });
  pc2.badSector = await middleSector(sourcePath);
  await steps.do("two bare computers boot and are approved", () =>
    Promise.all(
      [pc1, pc2].map(async (computer) => {
        await bootToApproval(site, computer);
        await approve(site, computer);
      }),
    ),
  );
  await steps.do("imaging both: pc2 fails, pc1 comes back under its agent", () =>
    deployToBoth(site, pc1, pc2, sourcePath),
  );
  await steps.do("every chunk in the server's store is sound", () =>
    site.portolan("image", "verify", "debian"),
  );
  await steps.do("with a sound disk, pc2 starts nothing from it, comes to the network and is imaged", () =>
    deployToMended(site, pc2, sourcePath),
  );
}

/** A sector with half of what the image writes before it. */
async function middleSector(diskPath: string): Promise<number> {
  const disk = await open(diskPath, "r");
  const [piece, zeros] = [Buffer.alloc(mib), Buffer.alloc(mib)];
  const written: number[] = [];
  try {
    const { size } = await disk.stat();
    for (let offset = 0; offset < size; offset += mib) {
      await disk.read(piece, 0, mib, offset);
      if (!piece.equals(zeros)) {
        written.push(offset);
      }
    }
  } finally {
    await disk.close();
  }
  const middle = written[Math.floor(written.length / 2)] ?? 0;
  return (middle + mib / 2) / sectorBytes;
}

async function deployToBoth(
  site: LabSite,
  pc1: VirtualComputer,
  pc2: VirtualComputer,
  sourcePath: string,
): Promise<void> {
  const ids = [(await findRecord(site, pc1))?.id ?? "", (await findRecord(site, pc2))?.id ?? ""];
  const deploying = site.portolanShown("deploy", "debian", ...ids);
  await startImaged(site, pc1, sourcePath);
  const code = await deploying;
  const [job] = await site.portolan<Job[]>("job", "list");
  const [run1, run2] = ids.map((id) => job?.runs.find(({ computerId }) => computerId === id));
  if (code !== 1 || run1?.state !== "done" || run2?.state !== "failed" || run2.endedAt >= run1.endedAt) {
    throw new Error(`pc2 alone should have failed, and first: ${code}, ${JSON.stringify(job)}`);
  }
  await requireShared(site);
  await requireReason(pc2, run2.reason ?? "");
  await requireNoStart(site, pc2);
  const [failedMs, doneMs] = [run2.endedAt - run2.startedAt, run1.endedAt - run1.startedAt];
  const [failed, done] = [failedMs, doneMs].map((ms) => (ms / 1000).toFixed(0));
  site.steps.say(`  pc2 had failed after ${failed} s, pc1 was done after ${done} s`);
}

/** Both began in one multicast session. One that the other could not wait for went on by unicast, and is named. */
async function requireShared(site: LabSite): Promise<void> {
  type Moved = { computerId: string; reason: string };
  type Session = { group: string | null; joined: number; movedToUnicast: readonly Moved[] };
  const sessions = await site.portolan<Session[]>("session", "list");
  const [session] = sessions;
  if (sessions.length !== 1 || session?.group === null || session?.joined !== 2) {
    throw new Error(`the two were not in one multicast session: ${JSON.stringify(sessions)}`);
  }
  for (const { computerId, reason } of session.movedToUnicast) {
    site.steps.say(`  ${computerId} went on by unicast: ${reason}`);
  }
}

/** The reason names disk, place, error and way out, and the computer's own screen says the same. */
async function requireReason(pc2: VirtualComputer, reason: string): Promise<void> {
  const chunk = Math.floor(((pc2.badSector ?? 0) * sectorBytes) / mib);
  const parts = ["/dev/vda", `${pc2.plan.name}-disk`, String(chunk * mib), "EIO", "replace", "unbootable"];
  const missing = parts.filter((part) => !reason.includes(part));
  const isShown = (await screenOf(pc2)).includes(reason);
  if (missing.length > 0 || !isShown) {
    throw new Error(`the reason lacks ${missing.join(", ") || "its place on the screen of pc2"}: ${reason}`);
  }
}

/** No partition table at the start of the disk and none at its end, and half of the image between. */
async function requireNoStart(site: LabSite, computer: VirtualComputer): Promise<void> {
  const { size, blocks } = await stat(computer.diskPath);
  const disk = await open(computer.diskPath, "r");
  try {
    const ends = Buffer.alloc(mib + backupTableBytes);
    await disk.read(ends, 0, mib, 0);
    await disk.read(ends, mib, backupTableBytes, size - backupTableBytes);
    if (ends.some((byte) => byte !== 0)) {
      throw new Error(`${computer.plan.name} failed, and its disk has a partition table`);
    }
  } finally {
    await disk.close();
  }
  const heldMib = Math.round((blocks * sectorBytes) / mib);
  site.steps.say(
    `  the disk of ${computer.plan.name} holds ${heldMib} MiB of the image and no partition table`,
  );
}

async function deployToMended(site: LabSite, pc2: VirtualComputer, sourcePath: string): Promise<void> {
  await pc2.powerOff();
  pc2.badSector = null;
  const { id } = await untilRecord(site, pc2, "is gone", ({ environment }) => environment === null, 120_000);
  const deploying = site.portolanShown("deploy", "debian", id);
  await until("the second job", 60_000, async () =>
    (await site.portolan<Job[]>("job", "list")).length === 2 ? true : null,
  );
  pc2.powerOn();
  await startImaged(site, pc2, sourcePath);
  const code = await deploying;
  if (code !== 0) {
    throw new Error(`portolan deploy ended with ${code}`);
  }
  await untilRecord(site, pc2, "is back", ({ environment }) => environment === "os", 120_000);
}
