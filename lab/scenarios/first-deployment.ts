import { stat } from "node:fs/promises";
import { openFlatRoom } from "../flat-room.ts";
import type { LabSite } from "../site.ts";
import { hashFile, until } from "../site.ts";
import type { VirtualComputer } from "../virtual-computer.ts";

export type DeploymentOptions = {
  /** Percent of all frames towards the computers that the switch drops. */
  readonly lossPercent?: number;
  /** Kill the server without warning once the computers are being imaged. */
  readonly killServer?: boolean;
};

/**
 *   pc1 (BIOS)   pc2 (BIOS)   pc3 (UEFI)      three bare computers
 *      │            │            │
 *   ───┴─────┬──────┴─────┬──────┴──── room, 192.168.10.0/24
 *            │            │
 *     site's dnsmasq   server 192.168.10.1
 */
export async function firstDeployment(site: LabSite, options: DeploymentOptions = {}): Promise<void> {
  const { steps, network } = site;
  const software = await openFlatRoom(site);
  await network.countMulticast(network.portName(1));
  const sourcePath = await site.prepareSource(software, "192.168.10.1");
  await steps.do("importing the disk as image debian", () =>
    site.portolan("image", "import", sourcePath, "debian"),
  );
  const computers = [
    await site.addComputer({ name: "pc1", firmware: "bios", segment: "room" }),
    await site.addComputer({ name: "pc2", firmware: "bios", segment: "room" }),
    await site.addComputer({ name: "pc3", firmware: "uefi", segment: "room", bootsFirst: "disk" }),
  ];
  const ids = await bootAndApprove(site, computers);
  if (options.lossPercent !== undefined) {
    await network.loseTowards(
      computers.map(({ plan }) => plan.tap),
      options.lossPercent,
    );
    steps.say(`the switch now drops ${options.lossPercent} % of all frames towards the computers`);
  }
  await deployAndCompare(site, computers, ids, sourcePath, options);
  await reportTransmission(site);
}

async function bootAndApprove(site: LabSite, computers: readonly VirtualComputer[]): Promise<string[]> {
  const { steps } = site;
  const ids = await steps.do(
    "three bare computers boot from the network and register as unknown",
    async () => {
      for (const computer of computers) {
        computer.powerOn();
      }
      let seenCount = 0;
      return until("registration", 360_000, async () => {
        const pending = (await site.listComputers()).filter(({ state }) => state === "pending");
        for (const computer of pending.slice(seenCount)) {
          steps.say(`  ${computer.name} (${computer.macs.join(" ")}) waits for approval as ${computer.id}`);
        }
        seenCount = pending.length;
        return pending.length === computers.length ? pending.map(({ id }) => id) : null;
      });
    },
  );
  await steps.do("approving them", async () => {
    await site.portolan("computer", "approve", ...ids);
    await until("connection of all three", 60_000, async () => {
      const listed = await site.listComputers();
      return listed.filter(({ environment }) => environment === "preboot").length === ids.length
        ? true
        : null;
    });
  });
  return ids;
}

async function deployAndCompare(
  site: LabSite,
  computers: readonly VirtualComputer[],
  ids: readonly string[],
  sourcePath: string,
  options: DeploymentOptions,
): Promise<void> {
  const { steps } = site;
  const { size } = await stat(sourcePath);
  const wanted = await hashFile(sourcePath, size);
  await steps.do("imaging all three, restarting from disk, agents connect", async () => {
    const deploying = site.portolanShown("deploy", "debian", ...ids);
    const restarts = computers.map(async (computer) => {
      await computer.waitOff(900_000);
      const found = await hashFile(computer.diskPath, size);
      if (found !== wanted) {
        throw new Error(`the disk of ${computer.plan.name} differs from the source: ${computer.diskPath}`);
      }
      steps.say(
        `  ${computer.plan.name} restarts; its disk equals the source (sha256 ${wanted.slice(0, 12)}…)`,
      );
      computer.powerOn();
    });
    if (options.killServer === true) {
      await until("imaging", 300_000, async () => {
        const sessions = await site.portolan<{ state: string; sentBytes: number }[]>("session", "list");
        return sessions.some(({ state, sentBytes }) => state === "sending" && sentBytes > 20e6) ? true : null;
      });
      steps.say("  killing the server (SIGKILL) and starting it again");
      await site.killAndRestartServer();
    }
    await Promise.all(restarts);
    const code = await deploying;
    if (code !== 0) {
      throw new Error(`portolan deploy ended with ${code}`);
    }
  });
  const listed = await site.listComputers();
  const inOs = listed.filter(({ environment }) => environment === "os").length;
  if (inOs !== computers.length) {
    throw new Error(`only ${inOs} of ${computers.length} agents are connected from the installed system`);
  }
}

async function reportTransmission(site: LabSite): Promise<void> {
  const { steps, network } = site;
  type Session = {
    id: number;
    group: string;
    port: number;
    sentBytes: number;
    copyBytes: number;
    joined: number;
  };
  const sessions = await site.portolan<Session[]>("session", "list");
  const wireBytes = await network.readMulticastBytes();
  const copyBytes = Math.max(...sessions.map((session) => session.copyBytes), 1);
  for (const session of sessions) {
    steps.say(
      `session ${session.id} on ${session.group}:${session.port}, ${session.joined} computers, ` +
        `${(session.sentBytes / 1e6).toFixed(1)} MB sent`,
    );
  }
  steps.say(
    `counted at the server's cable: ${(wireBytes / 1e6).toFixed(1)} MB of multicast, one copy is ` +
      `${(copyBytes / 1e6).toFixed(1)} MB: ${(wireBytes / copyBytes).toFixed(2)} copies for ${site.computers.length} computers`,
  );
}
