import type { Flow } from "./flow.ts";
import { dynamicPorts, imagingOnly, unicast } from "./flow-parts.ts";
import type { Settings } from "./settings.ts";

function bootState(settings: Settings): Flow["state"] {
  return settings["boot.mode"] === "off" ? "off" : "on";
}

/** What firmware asks before it has a boot file. */
export function computeDhcpFlows(settings: Settings): Flow[] {
  const shared = { ...unicast, ...imagingOnly, state: bootState(settings), origin: "paper" } as const;
  return [
    {
      ...shared,
      id: "boot.dhcp",
      title: "DHCP requests of booting computers",
      purpose: "Network boot firmware asks by broadcast, or through a DHCP relay, who can boot it.",
      needed: "at each start of a computer from the network",
      from: "firmware",
      to: ["server", "dhcp-server"],
      transport: "udp",
      ports: [67],
      sourcePorts: [67, 68],
      serverSocket: "standing",
    },
    {
      ...shared,
      id: "boot.dhcp-reply",
      title: "DHCP answers to booting computers",
      purpose:
        "The boot offer goes back to the firmware by broadcast on port 68, or by unicast to the relay on port 67.",
      needed: "at each start of a computer from the network",
      from: "server",
      to: ["firmware", "relay"],
      transport: "udp",
      ports: [67, 68],
      sourcePorts: [67],
      carrier: "boot.dhcp",
    },
    {
      ...shared,
      id: "boot.server",
      title: "PXE boot server requests",
      purpose: "PXE firmware that has its address asks the boot server directly for the boot file name.",
      needed: "at each start, by firmware that does not take the file name from the offer",
      from: "firmware",
      to: ["server"],
      transport: "udp",
      ports: [4011],
      sourcePorts: [68, 4011],
      serverSocket: "standing",
    },
  ];
}

/** Boot files that are sent once to many. */
function computeBootGroupFlows(settings: Settings): Flow[] {
  const state = settings["tftp.multicast"] ? bootState(settings) : "off";
  const shared = { ...unicast, ...imagingOnly, state, setting: "tftp.multicast", origin: "paper" } as const;
  return [
    {
      ...shared,
      id: "boot.mtftp",
      title: "Multicast TFTP requests",
      purpose:
        "Firmware that hears nothing on its group asks for the boot file to be sent there (MTFTP, PXE 2.1).",
      needed: "at each start, by firmware that reads by MTFTP",
      from: "firmware",
      to: ["server"],
      transport: "udp",
      ports: [1759],
      serverSocket: "standing",
    },
    {
      ...shared,
      id: "boot.tftp-multicast",
      title: "Multicast TFTP",
      purpose: "Boot files are sent once to many computers by MTFTP or RFC 2090.",
      needed: "while several computers read the same boot file",
      from: "server",
      to: ["firmware"],
      transport: "udp",
      ports: [1758],
      sourcePorts: dynamicPorts,
      groups: settings["imaging.groups"],
      ttl: settings["imaging.ttl"],
      serverSocket: "passing",
    },
  ];
}

/** How firmware and boot programs read their files. */
export function computeBootFileFlows(settings: Settings): Flow[] {
  const isSinglePort = settings["tftp.singlePort"];
  const state = bootState(settings);
  const shared = { ...unicast, ...imagingOnly, state, origin: "paper", from: "firmware" } as const;
  return [
    {
      ...shared,
      id: "boot.tftp",
      title: "TFTP read requests",
      purpose: "Firmware reads the network boot program, a few hundred kilobytes, from the server.",
      needed: "at each start of a computer from the network",
      to: ["server"],
      transport: "udp",
      ports: [69],
      serverSocket: "standing",
    },
    {
      ...shared,
      id: "boot.tftp-data",
      title: "TFTP data",
      purpose: isSinglePort
        ? "TFTP data leaves from port 69 itself, so that no port range needs opening."
        : "Each TFTP transfer continues between two ports that both ends choose (RFC 1350 §4).",
      needed: "while a boot program is read",
      to: ["server"],
      transport: "udp",
      ports: isSinglePort ? [69] : dynamicPorts,
      dynamic: !isSinglePort,
      setting: "tftp.singlePort",
      carrier: isSinglePort ? "boot.tftp" : null,
      serverSocket: isSinglePort ? "none" : "passing",
    },
    ...computeBootGroupFlows(settings),
    {
      ...shared,
      id: "boot.http",
      title: "HTTP boot",
      purpose:
        "Boot programs, kernel and preboot system are read by HTTP, which is faster than TFTP and crosses routers.",
      needed: "at each start into preboot, after the boot program",
      to: ["server"],
      transport: "tcp",
      ports: [settings["boot.httpPort"]],
      setting: "boot.httpPort",
      origin: "ours",
      serverSocket: "standing",
    },
  ];
}
