import type { Flow } from "./flow.ts";
import { allManaged, chosenPorts, dynamicPorts, imagingOnly, unicast } from "./flow-parts.ts";
import { type DiscoveryPlace, remotePort, type Settings } from "./settings.ts";

/** How an agent finds its server and stays connected. What is old is still open for who has not moved. */
export function computeAgentFlows(
  settings: Settings,
  old: { readonly ports: readonly number[]; readonly discovery: readonly DiscoveryPlace[] },
): Flow[] {
  const discovery = settings["discovery.enabled"] ? "on" : "off";
  const discoveryPorts = withOld(
    settings["discovery.port"],
    old.discovery.map(({ port }) => port),
  );
  const discoveryGroups = withOld(
    settings["discovery.group"],
    old.discovery.map(({ group }) => group),
  );
  const shared = { ...unicast, ...allManaged, origin: "paper" } as const;
  return [
    {
      ...shared,
      id: "agent.discovery",
      title: "Server discovery",
      purpose: "Agents and the preboot system ask a multicast group which server serves their segment.",
      needed: "when an agent starts or has lost its server, and no server address is set or it fails",
      from: "agent",
      to: ["server"],
      transport: "udp",
      ports: discoveryPorts,
      groups: discoveryGroups,
      ttl: settings["discovery.ttl"],
      setting: "discovery.port",
      state: discovery,
      serverSocket: "standing",
      agentSocket: "passing",
    },
    {
      ...shared,
      id: "agent.discovery-reply",
      title: "Server discovery answers",
      purpose: "The server answers the asking agent by unicast with a signed address for its segment.",
      needed: "after each discovery request",
      from: "server",
      to: ["agent"],
      transport: "udp",
      ports: dynamicPorts,
      sourcePorts: discoveryPorts,
      dynamic: true,
      setting: "discovery.port",
      state: discovery,
      carrier: "agent.discovery",
    },
    {
      ...shared,
      id: "agent.control",
      title: "Control connection",
      purpose: "Each agent and preboot system keeps one mutually authenticated TLS connection to its server.",
      needed: "always: the connection stays up as long as the computer runs",
      from: "agent",
      to: ["server"],
      transport: "tcp",
      ports: withOld(settings["control.tcpPort"], old.ports),
      setting: "control.tcpPort",
      state: "on",
      serverSocket: "standing",
      agentSocket: "passing",
    },
  ];
}

/** The value of the plan first, each old one once. */
function withOld<Value>(planned: Value, old: readonly Value[]): Value[] {
  return [...new Set([planned, ...old])];
}

/** What moves over ticketed TLS connections: between computers and their server, and between servers of one site. */
function computeTransferFlows(settings: Settings): Flow[] {
  const shared = { ...unicast, state: "on", origin: "paper" } as const;
  const transfer = chosenPorts(settings["transfer.port"], settings["transfer.portRange"]);
  return [
    {
      ...shared,
      ...allManaged,
      id: "transfer.data",
      title: "File and image transfer",
      purpose: "Images, packages and files move over a second, ticketed TLS connection.",
      needed: "while a job moves an image, a package or a file",
      from: "agent",
      to: ["server"],
      transport: "tcp",
      ...transfer,
      setting: "transfer.port",
      serverSocket: transfer.dynamic ? "passing" : "standing",
      agentSocket: "passing",
    },
    {
      ...shared,
      id: "transfer.between-servers",
      title: "Chunks between servers",
      purpose:
        "A server that lacks parts of an image or a package fetches them from another server of its site, over the same ticketed TLS port that computers use.",
      needed: "while a server sends what only another server of its site has in store",
      from: "server",
      to: ["server"],
      transport: "tcp",
      ...transfer,
      origin: "ours",
      intents: [],
      setting: "transfer.port",
      carrier: "transfer.data",
      serverSocket: "passing",
    },
  ];
}

/** Everything that moves in bulk, and remote control. */
export function computeWorkFlows(settings: Settings): Flow[] {
  const shared = { ...unicast, state: "on", origin: "paper" } as const;
  const remote = remotePort(settings);
  const isInside = remote === "control";
  return [
    ...computeTransferFlows(settings),
    {
      ...shared,
      ...imagingOnly,
      id: "imaging.data",
      title: "Multicast imaging",
      purpose:
        "One copy of an image is sent to many computers at once; each session uses one group and port.",
      needed: "while several computers are imaged together",
      from: "server",
      to: ["preboot", "agent"],
      transport: "udp",
      ports: settings["imaging.ports"],
      groups: settings["imaging.groups"],
      ttl: settings["imaging.ttl"],
      setting: "imaging.ports",
      serverSocket: "passing",
      agentSocket: "passing",
    },
    {
      ...shared,
      ...allManaged,
      id: "remote.control",
      title: "Remote control",
      purpose: isInside
        ? "Terminal, desktop and files of a computer are shown to an operator inside the control port, over a ticketed TLS connection of their own."
        : "Terminal, desktop and files of a computer are shown to an operator over a ticketed TLS connection.",
      needed: "while an operator works on a computer remotely",
      from: "agent",
      to: ["server"],
      transport: "tcp",
      ...(isInside
        ? { ports: [settings["control.tcpPort"]], dynamic: false, carrier: "agent.control" as const }
        : chosenPorts(remote, settings["remote.portRange"])),
      setting: "remote.port",
      serverSocket: isInside ? "none" : "passing",
      agentSocket: "passing",
    },
  ];
}

/** What wakes a sleeping computer: the server, or an awake neighbour where the server's broadcast does not reach. */
export function computeWakeFlows(settings: Settings): Flow[] {
  const shared = { ...unicast, state: "on", to: ["sleeping-computer"], transport: "udp" } as const;
  return [
    {
      ...shared,
      ...allManaged,
      id: "wake.magic-packet",
      title: "Wake-on-LAN",
      purpose: "The server wakes sleeping computers on its own segments, or by directed broadcast on others.",
      needed: "before work on a computer that is switched off",
      from: "server",
      ports: [settings["wake.port"]],
      setting: "wake.port",
      // The paper leaves the port open; 9 is the custom of the trade.
      origin: "ours",
      serverSocket: "passing",
    },
    {
      ...shared,
      intents: [],
      id: "agent.wake",
      title: "Wake-on-LAN by an agent",
      purpose: "An awake agent wakes the sleeping computers of its own segment; this never crosses a router.",
      needed: "before work on sleeping computers behind a router that forwards no directed broadcast",
      from: "agent",
      ports: [settings["agent.wakePort"]],
      setting: "agent.wakePort",
      origin: "paper",
      agentSocket: "passing",
    },
  ];
}
