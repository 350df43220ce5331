import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { MagicPacketListener } from "../magic-packet-listener.ts";
import { labRoot } from "../software.ts";
import { type LabSite, until } from "../site.ts";

export type RoomDoor = { readonly socketPath: string; readonly consolePort: number };

/**
 * The room of the first deployment to try things in: its computers are switched on and wait for approval, restart by
 * themselves as real ones do, and switched off they hear magic packets.
 *
 *   pc1 (BIOS)   pc2 (BIOS)   pc3 (UEFI)
 *      │            │            │
 *   ───┴─────┬──────┴─────┬──────┴──── room, 192.168.10.0/24
 *            │            │
 *     site's dnsmasq   server 192.168.10.1 ──── door to the console, for the machine outside
 */
export async function openRoom(site: LabSite, door: RoomDoor): Promise<void> {
  const { steps, network, folder } = site;
  const software = await site.installSoftware();
  await network.addSegment("room");
  await network.connect("server", "eth0", "room", "192.168.10.1/24");
  await network.connect("dhcp", "eth0", "room", "192.168.10.2/24");
  await site.startForeignDhcp("dhcp", "eth0", "192.168.10.100,192.168.10.150");
  await steps.do("starting the server", () =>
    site.startServer(["eth0"], ["--console-port", String(door.consolePort)]),
  );
  network.spawnOn(
    "server",
    process.execPath,
    [join(labRoot, "lab", "console-door.ts"), door.socketPath, String(door.consolePort)],
    join(folder, "door.log"),
  );
  const sourcePath = await site.prepareSource(software, "192.168.10.1");
  await steps.do("importing a Debian disk as image debian", () =>
    site.portolan("image", "import", sourcePath, "debian"),
  );
  for (const [name, firmware] of [
    ["pc1", "bios"],
    ["pc2", "bios"],
    ["pc3", "uefi"],
  ] as const) {
    await site.addComputer({ name, firmware, segment: "room", bootsFirst: "network", restarts: "by-itself" });
  }
  const listener = new MagicPacketListener("room", site.computers, ({ plan }) => {
    steps.say(`a magic packet switched ${plan.name} on`);
  });
  process.once("exit", () => listener.stop());
  for (const computer of site.computers) {
    computer.powerOn();
  }
}

/** The link that makes the first account, as the server printed it. */
export function readSetupLink(site: LabSite): Promise<string> {
  return until("the link to the console", 30_000, async () => {
    const log = await readFile(join(site.folder, "server.log"), "utf8");
    return /^console (https:\S+)$/m.exec(log)?.[1] ?? null;
  });
}
