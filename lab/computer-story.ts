import { readFile, stat } from "node:fs/promises";
import { hashFile, type LabSite, until } from "./site.ts";
import type { VirtualComputer } from "./virtual-computer.ts";

/*
 * What happens to one computer, as the server's command line tells it. Scenarios with more than one computer in one
 * session do it themselves.
 */

export type ToldComputer = {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly environment: string | null;
  readonly address: string | null;
  readonly macs: readonly string[];
  readonly inventory: unknown;
};

export type ToldBootEvent = {
  readonly at: number;
  readonly stage: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly detail: string | null;
};

/** The server's record of a virtual computer, `null` while it has none. */
export async function findRecord(site: LabSite, computer: VirtualComputer): Promise<ToldComputer | null> {
  const listed = await site.portolan<ToldComputer[]>("computer", "list");
  return listed.find(({ macs }) => macs.includes(computer.plan.mac)) ?? null;
}

/** Waits until the record says what is asked for, and returns it. */
export function untilRecord(
  site: LabSite,
  computer: VirtualComputer,
  what: string,
  isSo: (record: ToldComputer) => boolean,
  timeoutMs = 900_000,
): Promise<ToldComputer> {
  return until(`${computer.plan.name} ${what}`, timeoutMs, async () => {
    const record = await findRecord(site, computer);
    return record !== null && isSo(record) ? record : null;
  });
}

/** Boots a bare computer from the network until it waits for a person. */
export async function bootToApproval(site: LabSite, computer: VirtualComputer): Promise<ToldComputer> {
  computer.powerOn();
  const record = await untilRecord(site, computer, "registers", ({ state }) => state === "pending");
  site.steps.say(`  ${computer.plan.name} (${computer.plan.firmware}) waits for approval as ${record.id}`);
  return record;
}

export async function approve(site: LabSite, computer: VirtualComputer): Promise<ToldComputer> {
  const record = await findRecord(site, computer);
  if (record === null) {
    throw new Error(`${computer.plan.name} cannot be approved: the server has not seen it`);
  }
  await site.portolan("computer", "approve", record.id);
  return untilRecord(site, computer, "connects", ({ environment }) => environment === "preboot", 300_000);
}

/** Waits until an imaged computer restarts, compares its disk with the source at that moment, and switches it on again. */
export async function startImaged(
  site: LabSite,
  computer: VirtualComputer,
  sourcePath: string,
): Promise<void> {
  const { size } = await stat(sourcePath);
  await computer.waitOff(1_800_000);
  const [found, wanted] = [await hashFile(computer.diskPath, size), await hashFile(sourcePath, size)];
  if (found !== wanted) {
    throw new Error(`the disk of ${computer.plan.name} differs from the source: ${computer.diskPath}`);
  }
  site.steps.say(`  ${computer.plan.name} restarts; its disk equals the source (${wanted.slice(0, 12)}…)`);
  computer.powerOn();
}

/** Images one computer, compares its disk with the source at the moment it restarts, and waits for its agent. */
export async function deployToOne(
  site: LabSite,
  computer: VirtualComputer,
  imageName: string,
  sourcePath: string,
): Promise<void> {
  const record = await findRecord(site, computer);
  const deploying = site.portolanShown("deploy", imageName, record?.id ?? computer.plan.name);
  await startImaged(site, computer, sourcePath);
  const code = await deploying;
  if (code !== 0) {
    throw new Error(`portolan deploy ended with ${code}`);
  }
  await untilRecord(site, computer, "is back", ({ environment }) => environment === "os", 120_000);
}

/** Boot events of one computer that are younger than `sinceMs` (epoch), oldest first. */
export async function bootEventsSince(
  site: LabSite,
  computer: VirtualComputer,
  sinceMs: number,
): Promise<readonly ToldBootEvent[]> {
  const record = await findRecord(site, computer);
  const events = await site.portolan<ToldBootEvent[]>("computer", "events", record?.id ?? "");
  return events.filter(({ at }) => at >= sinceMs).toReversed();
}

/** Whether nothing was ever written to a computer's disk: an empty disk is a file without a single block. */
export async function isDiskUntouched(computer: VirtualComputer): Promise<boolean> {
  return (await stat(computer.diskPath)).blocks === 0;
}

/** What its serial console has shown since it was switched on first. */
export function screenOf(computer: VirtualComputer): Promise<string> {
  return readFile(computer.serialPath, "utf8");
}

/** @param from what was on the screen before does not count */
export async function untilScreen(computer: VirtualComputer, text: string, from = 0): Promise<void> {
  await until(`${computer.plan.name} shows "${text}"`, 600_000, async () =>
    (await screenOf(computer)).slice(from).includes(text) ? true : null,
  );
}
