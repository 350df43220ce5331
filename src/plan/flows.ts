import type { Flow, FlowId, FlowPorts } from "./flow.ts";
import type { PortRange, Settings } from "./settings.ts";

/** IANA's dynamic range starts later, but stacks choose from 1024 up; the paper says "above 1024". */
const dynamicPorts = { from: 1025, to: 65535 } as const;

/** `fixedPort` 0 means dynamic, within `range` where the site has set one. */
function chosenPorts(fixedPort: number, range: PortRange): { ports: FlowPorts; dynamic: boolean } {
  return fixedPort === 0
    ? { ports: range ?? dynamicPorts, dynamic: true }
    : { ports: [fixedPort], dynamic: false };
}

const unicast = { groups: [], ttl: null, sourcePorts: null, dynamic: false, setting: null } as const;

function bootState(settings: Settings): Flow["state"] {
  return settings["boot.mode"] === "off" ? "off" : "on";
}

function dhcpFlows(settings: Settings): Flow[] {
  const isOn = bootState(settings);
  return [
    {
      ...unicast,
      id: "boot.dhcp",
      title: "DHCP requests of booting computers",
      purpose: "Network boot firmware asks by broadcast, or through a DHCP relay, who can boot it.",
      from: "firmware",
      to: ["server", "dhcp-server"],
      transport: "udp",
      ports: [67],
      sourcePorts: [67, 68],
      state: isOn,
      origin: "paper",
    },
    {
      ...unicast,
      id: "boot.dhcp-reply",
      title: "DHCP answers to booting computers",
      purpose:
        "The boot offer goes back to the firmware by broadcast on port 68, or by unicast to the relay on port 67.",
      from: "server",
      to: ["firmware", "relay"],
      transport: "udp",
      ports: [67, 68],
      sourcePorts: [67],
      state: isOn,
      origin: "paper",
    },
    {
      ...unicast,
      id: "boot.server",
      title: "PXE boot server requests",
      purpose: "PXE firmware that has its address asks the boot server directly for the boot file name.",
      from: "firmware",
      to: ["server"],
      transport: "udp",
      ports: [4011],
      sourcePorts: [68, 4011],
      state: isOn,
      origin: "paper",
    },
  ];
}

function bootFileFlows(settings: Settings): Flow[] {
  const isOn = bootState(settings);
  return [
    {
      ...unicast,
      id: "boot.tftp",
      title: "TFTP read requests",
      purpose: "Firmware reads the network boot program, a few hundred kilobytes, from the server.",
      from: "firmware",
      to: ["server"],
      transport: "udp",
      ports: [69],
      state: isOn,
      origin: "paper",
    },
    {
      ...unicast,
      id: "boot.tftp-data",
      title: "TFTP data",
      purpose: settings["tftp.singlePort"]
        ? "TFTP data leaves from port 69 itself, so that no port range needs opening."
        : "Each TFTP transfer continues between two ports that both ends choose (RFC 1350 §4).",
      from: "firmware",
      to: ["server"],
      transport: "udp",
      ports: settings["tftp.singlePort"] ? [69] : dynamicPorts,
      dynamic: !settings["tftp.singlePort"],
      setting: "tftp.singlePort",
      state: isOn,
      origin: "paper",
    },
    {
      ...unicast,
      id: "boot.tftp-multicast",
      title: "Multicast TFTP",
      purpose: "Boot files are sent once to many computers by MTFTP or RFC 2090.",
      from: "server",
      to: ["firmware"],
      transport: "udp",
      ports: [1758, 1759],
      sourcePorts: dynamicPorts,
      groups: settings["imaging.groups"],
      ttl: settings["imaging.ttl"],
      setting: "tftp.multicast",
      state: settings["tftp.multicast"] ? isOn : "off",
      origin: "paper",
    },
    {
      ...unicast,
      id: "boot.http",
      title: "HTTP boot",
      purpose:
        "Boot programs, kernel and preboot system are read by HTTP, which is faster than TFTP and crosses routers.",
      from: "firmware",
      to: ["server"],
      transport: "tcp",
      ports: [settings["boot.httpPort"]],
      setting: "boot.httpPort",
      state: isOn,
      origin: "ours",
    },
  ];
}

function agentFlows(settings: Settings): Flow[] {
  const discoveryOn = settings["discovery.enabled"] ? "on" : "off";
  return [
    {
      ...unicast,
      id: "agent.discovery",
      title: "Server discovery",
      purpose: "Agents and the preboot system ask a multicast group which server serves their segment.",
      from: "agent",
      to: ["server", "preboot"],
      transport: "udp",
      ports: [settings["discovery.port"]],
      groups: [settings["discovery.group"]],
      ttl: settings["discovery.ttl"],
      setting: "discovery.port",
      state: discoveryOn,
      origin: "paper",
    },
    {
      ...unicast,
      id: "agent.discovery-reply",
      title: "Server discovery answers",
      purpose: "The server answers the asking agent by unicast with a signed address for its segment.",
      from: "server",
      to: ["agent", "preboot"],
      transport: "udp",
      ports: dynamicPorts,
      sourcePorts: [settings["discovery.port"]],
      dynamic: true,
      setting: "discovery.port",
      state: discoveryOn,
      origin: "paper",
    },
    {
      ...unicast,
      id: "agent.control",
      title: "Control connection",
      purpose: "Each agent and preboot system keeps one mutually authenticated TLS connection to its server.",
      from: "agent",
      to: ["server", "preboot"],
      transport: "tcp",
      ports: [settings["control.tcpPort"]],
      setting: "control.tcpPort",
      state: "on",
      origin: "paper",
    },
  ];
}

function bulkFlows(settings: Settings): Flow[] {
  return [
    {
      ...unicast,
      id: "transfer.data",
      title: "File and image transfer",
      purpose: "Images, packages and files move over a second, ticketed TLS connection.",
      from: "agent",
      to: ["server", "preboot"],
      transport: "tcp",
      ...chosenPorts(settings["transfer.port"], settings["transfer.portRange"]),
      setting: "transfer.port",
      state: "on",
      origin: "paper",
    },
    {
      ...unicast,
      id: "imaging.data",
      title: "Multicast imaging",
      purpose:
        "One copy of an image is sent to many computers at once; each session uses one group and port.",
      from: "server",
      to: ["preboot", "agent"],
      transport: "udp",
      ports: settings["imaging.ports"],
      groups: settings["imaging.groups"],
      ttl: settings["imaging.ttl"],
      setting: "imaging.ports",
      state: "on",
      origin: "paper",
    },
  ];
}

function operatorFlows(settings: Settings, consolePort: number): Flow[] {
  return [
    {
      ...unicast,
      id: "wake.magic-packet",
      title: "Wake-on-LAN",
      purpose: "A magic packet wakes a sleeping computer before its work.",
      from: "server",
      to: ["sleeping-computer"],
      transport: "udp",
      ports: [settings["wake.port"]],
      setting: "wake.port",
      state: "on",
      origin: "paper",
    },
    {
      ...unicast,
      id: "console.https",
      title: "Console and API",
      purpose: "Administrators reach the API, and the command line talks to its server, over HTTPS.",
      from: "operator",
      to: ["server"],
      transport: "tcp",
      ports: [consolePort],
      state: "on",
      origin: "ours",
    },
  ];
}

/**
 * All flows of a site, computed from its settings. `agent.wake` and `remote.control` join the table with the
 * programs that speak them: a flow is listed when something can open it, not before.
 */
export function computeFlows(settings: Settings, server: { readonly consolePort: number }): Flow[] {
  return [
    ...dhcpFlows(settings),
    ...bootFileFlows(settings),
    ...agentFlows(settings),
    ...bulkFlows(settings),
    ...operatorFlows(settings, server.consolePort),
  ];
}

/** The flow with this id. Every id in `FlowId` that a program opens is in the table; a missing one is our bug. */
export function findFlow(flows: readonly Flow[], id: FlowId): Flow {
  const flow = flows.find((candidate) => candidate.id === id);
  if (flow === undefined) {
    throw new Error(`flow ${id} is not in the plan`);
  }
  return flow;
}
