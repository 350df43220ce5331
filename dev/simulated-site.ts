import { mkdirSync } from "node:fs";
import type { Logger } from "pino";
import { type Clock, systemClock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import { processSockets } from "#platform/open-socket-list.ts";
import type { SimulatedComputer } from "#platform/sim/simulated-computer.ts";
import { SimulatedNetwork } from "#platform/sim/simulated-network.ts";
import type { ServerConfig } from "#server/config.ts";
import { type OpenConsole, openConsole } from "#server/open-console.ts";
import { startServices } from "#server/start-services.ts";
import { createServer, type PortolanServer } from "#server/server.ts";
import { openDatabase } from "#store/database.ts";
import { SiteStore } from "#store/site-store.ts";

/** Ports above 1023 and addresses of loopback: a simulated site needs no right that an ordinary user lacks. */
export type SimulatedSiteOptions = {
  readonly dataDir: string;
  readonly consolePort: number;
  /** TCP ports of control and HTTP boot; they must be free on this machine. */
  readonly controlPort: number;
  readonly httpPort: number;
  readonly log: Logger;
};

export type SimulatedSite = {
  readonly server: PortolanServer;
  readonly network: SimulatedNetwork;
  readonly clock: Clock;
  readonly console: OpenConsole;
  /** As a firewall in front of the server would: datagrams to these ports are dropped. */
  readonly blockedUdpPorts: Set<number>;
  readonly stop: () => Promise<void>;
};

/** Segments of the simulated site. All of 127/8 is this machine, so TCP is real; UDP goes over the simulated network. */
export const simulatedSegments = [
  { name: "room-a", address: "127.10.0.1/24" },
  { name: "room-b", address: "127.20.0.1/24" },
] as const;

/** TCP is real here, so its sockets are of the process and not of the simulated computer. */
function withTcp(computer: SimulatedComputer, blockedUdpPorts: ReadonlySet<number>): Network {
  return {
    interfaces: () => computer.interfaces(),
    openUdp: async (grant, options) => {
      const socket = await computer.openUdp(grant, options);
      const listen = socket.onDatagram.bind(socket);
      socket.onDatagram = (handler) =>
        listen((datagram) => {
          if (!blockedUdpPorts.has(socket.localPort)) {
            handler(datagram);
          }
        });
      return socket;
    },
    // Agents follow their routes and name no interface; theirs are not the server's.
    openSockets: () => [
      ...computer.openSockets(),
      ...processSockets.list().filter(({ interfaceName }) => interfaceName !== null),
    ],
    limits: () => ["This site is simulated: datagrams go over a network in memory."],
  };
}

/** Ports of the profile belong to root; a site that has been here before keeps what was changed since. */
async function presetPorts(
  { databaseUrl, dataDir }: ServerConfig,
  ports: Readonly<Record<string, number>>,
): Promise<void> {
  const db = await openDatabase(databaseUrl, dataDir);
  const site = new SiteStore(db);
  const known = await site.readSettings();
  for (const [key, port] of Object.entries(ports)) {
    if (known[key] === undefined) {
      await site.writeSetting(key, String(port));
    }
  }
  await db.destroy();
}

/** The real server, on a simulated network: what the console shows of it is what it would show of any other. */
export async function startSimulatedSite(options: SimulatedSiteOptions): Promise<SimulatedSite> {
  const { dataDir, consolePort, controlPort, httpPort, log } = options;
  mkdirSync(dataDir, { recursive: true });
  const network = new SimulatedNetwork({ clock: systemClock, seed: 1 });
  const computer = network.computer("server");
  for (const { name, address } of simulatedSegments) {
    network.attach(computer, name, { interfaceName: name, address });
  }
  const config: ServerConfig = {
    name: "simulated",
    interfaces: simulatedSegments.map(({ name }) => name),
    dataDir,
    relays: [],
    databaseUrl: "sqlite:",
    consolePort,
  };
  await presetPorts(config, { "control.tcpPort": controlPort, "boot.httpPort": httpPort });
  const blockedUdpPorts = new Set<number>();
  const server = await createServer(config, systemClock, log, withTcp(computer, blockedUdpPorts));
  await startServices(server);
  const opened = await openConsole(server, "simulated");
  return {
    server,
    network,
    clock: systemClock,
    console: opened,
    blockedUdpPorts,
    async stop() {
      await opened.close();
      await server.stop();
    },
  };
}
