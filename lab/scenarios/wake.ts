import { join } from "node:path";
import { approve, bootToApproval, findRecord, untilRecord } from "../computer-story.ts";
import { MagicPacketListener } from "../magic-packet-listener.ts";
import { captureSegment } from "../segment-capture.ts";
import type { LabSite } from "../site.ts";

/**
 *   pc1 (BIOS), switched off; its card listens
 *      │
 *   ───┴─────┬────────────┬──── room, 192.168.10.0/24
 *            │            │
 *     site's dnsmasq   server 192.168.10.1
 */
export async function wakeByMagicPacket(site: LabSite): Promise<void> {
  const { steps, network, folder } = site;
  await site.installSoftware();
  await network.addSegment("room");
  await network.connect("server", "eth0", "room", "192.168.10.1/24");
  await network.connect("dhcp", "eth0", "room", "192.168.10.2/24");
  await site.startForeignDhcp("dhcp", "eth0", "192.168.10.100,192.168.10.150");
  captureSegment(network, "room", join(folder, "room.pcap"));
  await steps.do("starting the server", () => site.startServer(["eth0"]));
  const pc1 = await site.addComputer({ name: "pc1", firmware: "bios", segment: "room" });
  await steps.do("the computer registers once and is approved", async () => {
    await bootToApproval(site, pc1);
    await approve(site, pc1);
  });
  await pc1.powerOff();
  await steps.do("the server sees that it is gone", () =>
    untilRecord(site, pc1, "is gone", ({ environment }) => environment === null, 120_000),
  );
  const woken: string[] = [];
  const listener = new MagicPacketListener("room", site.computers, ({ plan }) => woken.push(plan.name));
  try {
    await steps.do("portolan computer wake switches it on", async () => {
      const record = await findRecord(site, pc1);
      // The listener's capture needs a moment to begin; a magic packet that nobody heard is sent again, as people do.
      for (let attempt = 0; attempt < 5 && woken.length === 0; attempt += 1) {
        await site.portolan("computer", "wake", record?.id ?? "");
        await new Promise((resolve) => {
          setTimeout(resolve, 1000);
        });
      }
      if (woken.length !== 1 || !pc1.isOn) {
        throw new Error(`magic packets switched on: ${woken.join(", ") || "nothing"}`);
      }
    });
  } finally {
    listener.stop();
  }
}
