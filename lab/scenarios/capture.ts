import { copyFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { buildDataDisk } from "../data-disk.ts";
import { differences, hashPartition, type LabPartition } from "../file-hashes.ts";
import { readBootEntries } from "../firmware-variables.ts";
import { runProgram } from "../run-program.ts";
import { openFlatRoom } from "../flat-room.ts";
import { type LabSite, until } from "../site.ts";
import type { VirtualComputer } from "../virtual-computer.ts";

type Listed = { id: string; state: string; environment: string | null; macs: string[]; name: string };
type Image = { name: string; sizeBytes: number; storedBytes: number };

/** What `--identity` changes, and nothing else may differ. */
const ownFiles = ["/etc/hostname", "/etc/hosts", "/etc/machine-id", "/etc/ssh/"];
const debianRoot = { startMib: 34, fileSystem: "ext4" } as const;
const dataMib = 760;
const dataPartitions: readonly LabPartition[] = [
  { startMib: 1, sizeMib: 80, fileSystem: "ext4" },
  { startMib: 81, sizeMib: 320, fileSystem: "xfs" },
  { startMib: 401, sizeMib: 150, fileSystem: "ntfs" },
  { startMib: 551, sizeMib: 208, fileSystem: "btrfs" },
];

/**
 *   pc1 (Debian, 1400 MiB) ── captured ──> pc2 (UEFI, 1700 MiB)   pc3 (BIOS, 1000 MiB), one session, each its own name
 *   pc4 (ext4, xfs, NTFS, btrfs, 760 MiB) ── captured ──> pc5 (700 MiB: NTFS shrinks, btrfs moves forward)
 *                                                         pc6 (860 MiB: NTFS grows, btrfs moves back), one session
 * Both restores go by multicast; one computer of each may be moved to unicast, and is named.
 */
export async function captureAndRestore(site: LabSite): Promise<void> {
  const software = await openFlatRoom(site);
  const sourcePath = await site.prepareSource(software, "192.168.10.1");
  await debian(site, sourcePath);
  await data(site);
}

/** Switches a computer on and approves it. @returns its id */
async function bring(site: LabSite, computer: VirtualComputer): Promise<string> {
  computer.powerOn();
  const { mac, name } = computer.plan;
  const find = async (): Promise<Listed | undefined> =>
    (await site.listComputers()).find(({ macs }) => macs.includes(mac));
  const id = await until(`registration of ${name}`, 240_000, async () => (await find())?.id ?? null);
  await site.portolan("computer", "approve", id);
  await until(`connection of ${name}`, 120_000, async () =>
    (await find())?.environment === "preboot" ? true : null,
  );
  return id;
}

async function capture(site: LabSite, id: string, name: string): Promise<void> {
  const code = await site.portolanShown("image", "capture", id, "--name", name);
  if (code !== 0) {
    throw new Error(`portolan image capture ended with ${code}`);
  }
  const images = await site.portolan<Image[]>("image", "list");
  const image = images.find((candidate) => candidate.name === name);
  const [size, stored] = [image?.sizeBytes ?? 0, image?.storedBytes ?? 0].map((bytes) => bytes / 1e6);
  site.steps.say(`  image ${name}: a disk of ${size?.toFixed(0)} MB, ${stored?.toFixed(1)} MB stored`);
}

async function compareRoot(
  site: LabSite,
  computer: VirtualComputer,
  wanted: ReadonlyMap<string, string>,
  sizeMib: number,
): Promise<void> {
  const found = await hashPartition(computer.diskPath, { ...debianRoot, sizeMib });
  const others = differences(wanted, found).filter((path) => !ownFiles.some((own) => path.startsWith(own)));
  if (others.length > 0) {
    throw new Error(`${computer.plan.name}: ${others.length} files differ: ${others.slice(0, 5).join(" ")}`);
  }
  site.steps.say(
    `  ${computer.plan.name} restarts; all ${wanted.size} files of its ${sizeMib} MiB root equal the source's`,
  );
}

const espType = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

/** The firmware has an entry of ours, in its order, that names the EFI partition of the restored disk by its new GUID. */
async function requireBootEntry(site: LabSite, computer: VirtualComputer): Promise<void> {
  type Table = {
    partitiontable: { partitions: { start: number; size: number; type: string; uuid: string }[] };
  };
  const { partitiontable } = JSON.parse(await runProgram("sfdisk", ["--json", computer.diskPath])) as Table;
  const index = partitiontable.partitions.findIndex(({ type }) => type === espType);
  const esp = partitiontable.partitions[index];
  const entries = await readBootEntries(computer.varsPath);
  const ours = entries.filter(({ description }) => description === "Portolan disk");
  const wanted = {
    number: index + 1,
    firstSector: esp?.start,
    sectorCount: esp?.size,
    id: esp?.uuid.toLowerCase(),
  };
  const [entry] = ours;
  if (
    ours.length !== 1 ||
    entry === undefined ||
    !entry.isActive ||
    entry.orderIndex < 0 ||
    !isDeepStrictEqual(entry.partition, wanted)
  ) {
    throw new Error(
      `${computer.plan.name}: no boot entry in the firmware's order for ${JSON.stringify(wanted)}; ` +
        `it has: ${JSON.stringify(entries)}`,
    );
  }
  site.steps.say(
    `  ${computer.plan.name}: its firmware's entry ${entry.number} names partition ${wanted.id}`,
  );
}

async function debian(site: LabSite, sourcePath: string): Promise<void> {
  const { steps } = site;
  const pc1 = await site.addComputer({ name: "pc1", firmware: "bios", segment: "room" });
  await copyFile(sourcePath, pc1.diskPath);
  const wanted = await hashPartition(sourcePath, { ...debianRoot, sizeMib: 1365 });
  await steps.do("capturing the Debian disk of pc1", async () => {
    await capture(site, await bring(site, pc1), "debian");
    await pc1.powerOff();
  });
  const pc2 = await site.addComputer({
    ...{ name: "pc2", firmware: "uefi", segment: "room", diskMib: 1700, bootsFirst: "disk" },
  });
  const pc3 = await site.addComputer({ name: "pc3", firmware: "bios", segment: "room", diskMib: 1000 });
  const ids = await steps.do("two bare computers with other disks boot and are approved", async () => [
    await bring(site, pc2),
    await bring(site, pc3),
  ]);
  await steps.do(
    "restoring to 1700 and 1000 MiB, each with its own name, until their agents connect",
    async () => {
      const options = ["--resize", "last", "--host-name", "lab-{serial}", "--new-ids", "--boot-entry"];
      // A job that fails ends the wait for computers that will not restart then.
      const deploying = site.portolanShown("deploy", "debian", ...ids, ...options).then((code) => {
        if (code !== 0) {
          throw new Error(`portolan deploy ended with ${code}`);
        }
      });
      const restarts = [pc2, pc3].map(async (computer) => {
        await computer.waitOff(900_000);
        await compareRoot(site, computer, wanted, computer.plan.diskMib - 35);
        if (computer.plan.firmware !== "bios") {
          await requireBootEntry(site, computer);
        }
        computer.powerOn();
      });
      await Promise.all([deploying, ...restarts]);
      await requireMulticast(site, "debian");
    },
  );
  type WithInventory = { environment: string | null; inventory: { hostName: string } | null };
  for (const [index, id] of ids.entries()) {
    const { inventory, environment } = await site.portolan<WithInventory>("computer", "show", id);
    const name = `lab-pc${index + 2}`;
    if (environment !== "os" || inventory?.hostName !== name) {
      throw new Error(
        `it calls itself ${inventory?.hostName} in ${environment}, and not ${name} in its system`,
      );
    }
    steps.say(`  ${name} runs from its disk under that name`);
  }
  await Promise.all([pc2.powerOff(), pc3.powerOff()]);
}

async function data(site: LabSite): Promise<void> {
  const { steps } = site;
  const pc4 = await site.addComputer({ name: "pc4", firmware: "bios", segment: "room", diskMib: dataMib });
  await buildDataDisk(pc4.diskPath, dataMib, dataPartitions);
  const wanted = [];
  for (const partition of dataPartitions) {
    wanted.push(await hashPartition(pc4.diskPath, partition));
  }
  await steps.do("capturing a disk with ext4, xfs, NTFS and btrfs", async () => {
    await capture(site, await bring(site, pc4), "data");
    await pc4.powerOff();
  });
  const moreMib = [-60, 100];
  const targets: VirtualComputer[] = [];
  for (const [index, more] of moreMib.entries()) {
    const name = `pc${index + 5}`;
    const diskMib = dataMib + more;
    targets.push(await site.addComputer({ name, firmware: "bios", segment: "room", diskMib }));
  }
  await steps.do(
    "restoring it to 700 and 860 MiB: NTFS, the third of four, shrinks and grows, btrfs moves",
    async () => {
      const ids = await Promise.all(targets.map((computer) => bring(site, computer)));
      // No system on it: the job waits for one in vain, so nobody waits for the job.
      void site.portolanShown("deploy", "data", ...ids, "--resize", "3");
      await Promise.all(targets.map((computer) => computer.waitOff(600_000)));
      await requireMulticast(site, "data");
    },
  );
  for (const [index, computer] of targets.entries()) {
    await compareData(site, computer, wanted, moreMib[index] ?? 0);
  }
}

/**
 * At least one computer had all of it by multicast. One that the room could not wait for (emulated computers share two
 * processors) goes on by unicast, and is named.
 */
async function requireMulticast(site: LabSite, imageName: string): Promise<void> {
  type Session = {
    imageName: string;
    group: string | null;
    joined: number;
    sentBytes: number;
    copyBytes: number;
    movedToUnicast: { computerId: string; reason: string }[];
  };
  const sessions = await site.portolan<Session[]>("session", "list");
  const session = sessions.find((one) => one.imageName === imageName);
  if (session === undefined || session.group === null || session.movedToUnicast.length >= session.joined) {
    throw new Error(`nobody got ${imageName} by multicast: ${JSON.stringify(session)}`);
  }
  const copies = (session.sentBytes / session.copyBytes).toFixed(2);
  site.steps.say(`  by multicast in ${session.group}: ${copies} copies for ${session.joined} computers`);
  for (const { computerId, reason } of session.movedToUnicast) {
    site.steps.say(`  ${computerId} went on by unicast: ${reason}`);
  }
}

async function compareData(
  site: LabSite,
  computer: VirtualComputer,
  wanted: readonly ReadonlyMap<string, string>[],
  moreMib: number,
): Promise<void> {
  for (const [index, partition] of dataPartitions.entries()) {
    const place = {
      ...partition,
      sizeMib: partition.sizeMib + (index === 2 ? moreMib : 0),
      startMib: partition.startMib + (index === 3 ? moreMib : 0),
    };
    const found = await hashPartition(computer.diskPath, place);
    const other = differences(wanted[index] ?? new Map(), found);
    const { name } = computer.plan;
    if (other.length > 0) {
      throw new Error(
        `${name}, ${partition.fileSystem}: ${other.length} files differ: ${other.slice(0, 5).join(" ")}`,
      );
    }
    site.steps.say(`  ${name}, ${partition.fileSystem}: all ${found.size} files equal the source's`);
  }
}
