import { join } from "node:path";
import { approve, bootToApproval } from "../computer-story.ts";
import { captureSegment } from "../segment-capture.ts";
import type { LabSite } from "../site.ts";

/**
 *   pc1 (UEFI with Secure Boot, Microsoft's keys)
 *      │
 *   ───┴─────┬────────────┬──── room, 192.168.10.0/24
 *            │            │
 *     site's dnsmasq   server 192.168.10.1
 */
export async function secureBoot(site: LabSite): Promise<void> {
  const { steps, network, folder } = site;
  await site.installSoftware();
  await network.addSegment("room");
  await network.connect("server", "eth0", "room", "192.168.10.1/24");
  await network.connect("dhcp", "eth0", "room", "192.168.10.2/24");
  // Debian's signed GRUB reads from the next server of the site's DHCP server: docs/operating/firmware.md.
  await site.startForeignDhcp("dhcp", "eth0", "192.168.10.100,192.168.10.150", "192.168.10.1");
  captureSegment(network, "room", join(folder, "room.pcap"));
  await steps.do("starting the server", () => site.startServer(["eth0"]));
  // Without this, firmware is given iPXE first, refuses it, and gets the signed stages at its next try.
  await site.portolan("settings", "set", "boot.uefiLoader", "shim");
  const pc1 = await site.addComputer({
    name: "pc1",
    firmware: "uefi-secure",
    segment: "room",
    memoryMib: 1024,
  });
  await steps.do("a computer with Secure Boot boots from the network", () => bootToApproval(site, pc1));
  const record = await steps.do("approving it", () => approve(site, pc1));
  const { isSecureBoot: state } = record.inventory as { isSecureBoot?: unknown };
  if (state !== true) {
    throw new Error(`its agent reports Secure Boot as ${JSON.stringify(state)}`);
  }
  steps.say("  its agent reports that Secure Boot is on: every stage was signed");
}
