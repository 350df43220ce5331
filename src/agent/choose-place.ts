import type { ServerPlace } from "#engine/agent/server-search.ts";
import type { Clock } from "#platform/clock.ts";
import type { Network } from "#platform/network.ts";
import type { AgentConfig } from "./config.ts";
import { findServer } from "./find-server.ts";

/** With both ways set, every third attempt asks the group: the server may have moved. */
const searchEvery = 3;

/**
 * The configured address first, then whoever answers by multicast with the site's signature.
 *
 * @throws SearchError when no server is configured and none was found
 */
export async function choosePlace(
  config: AgentConfig,
  failures: number,
  edges: { readonly network: Network; readonly clock: Clock; readonly say: (text: string) => void },
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
    if (configured === null) {
      throw error;
    }
    edges.say(error instanceof Error ? error.message : String(error));
    return configured;
  }
}
