import type { LabSite } from "./site.ts";

/**
 * One segment `room`, 192.168.10.0/24, with the site's own DHCP server and ours on 192.168.10.1, as most scenarios begin.
 *
 * @returns what `LabSite.installSoftware` built
 */
export async function openFlatRoom(site: LabSite): ReturnType<LabSite["installSoftware"]> {
  const { steps, network } = site;
  const software = await site.installSoftware();
  await network.addSegment("room");
  await network.connect("server", "eth0", "room", "192.168.10.1/24");
  await network.connect("dhcp", "eth0", "room", "192.168.10.2/24");
  await site.startForeignDhcp("dhcp", "eth0", "192.168.10.100,192.168.10.150");
  await steps.do("starting the server", () => site.startServer(["eth0"]));
  return software;
}
