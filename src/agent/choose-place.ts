import { explainSilence } from "#engine/agent/explain-silence.ts";
import type { ServerPlace } from "#engine/agent/server-search.ts";
import type { Clock } from "#platform/clock.ts";
import type { ServicePlace } from "#platform/find-service.ts";
import type { Network } from "#platform/network.ts";
import type { ServerDiscovery } from "#wire/control/message.ts";
import type { AgentConfig } from "./config.ts";
import { findServer, type RogueServer, SearchError } from "./find-server.ts";

/** With both ways set, every third attempt asks the group: the server may have moved. */
const searchEvery = 3;

/** In DNS, as `_portolan._tcp.example.org. SRV 0 0 402 ds1.example.org.` */
export const serviceName = "_portolan._tcp";

export type PlaceEdges = {
  readonly network: Network;
  readonly clock: Clock;
  readonly say: (text: string) => void;
  readonly onRogue: (rogue: RogueServer) => void;
  /** What the server said about its discovery when it was last reached. */
  readonly lastDiscovery: () => ServerDiscovery | null;
  /** The server's place from DNS, `null` when DNS knows none. */
  readonly askDns: () => Promise<ServicePlace | null>;
};

/**
 * The configured address first, then whoever answers by multicast with the site's signature, then DNS.
 *
 * @throws SearchError when no server is configured and none was found
 */
export async function choosePlace(
  config: AgentConfig,
  failures: number,
  edges: PlaceEdges,
): Promise<ServerPlace> {
  const { server, discovery, controlPort, siteKeyFingerprint } = config;
  const configured = server === null ? null : { address: server, port: controlPort };
  if (configured !== null && (discovery === null || failures % searchEvery !== searchEvery - 1)) {
    return configured;
  }
  if (discovery === null) {
    throw new Error("neither a server address nor discovery is set");
  }
  try {
    return await findServer({ ...discovery, siteKeyFingerprint }, edges);
  } catch (error) {
    if (!(error instanceof SearchError)) {
      throw error;
    }
    const named = await edges.askDns();
    if (named !== null) {
      edges.say(`nobody answered by multicast; DNS names ${named.address}, TCP port ${named.port}`);
      return named;
    }
    const known = error.code === "no-answer" ? explainSilence(discovery, edges.lastDiscovery()) : null;
    const explained =
      known === null ? error : new SearchError(error.code, `${error.message.split(". ")[0]}: ${known}`);
    if (configured === null) {
      throw explained;
    }
    edges.say(explained.message);
    return configured;
  }
}
