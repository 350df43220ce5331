import type { ServerDiscovery } from "#wire/control/message.ts";
import type { DiscoverySettings } from "./server-search.ts";

/**
 * Why nobody answered a search, from what the server said about its discovery when it was last reached; `null` when
 * that explains nothing.
 */
export function explainSilence(own: DiscoverySettings, server: ServerDiscovery | null): string | null {
  if (server === null) {
    return null;
  }
  if (!server.isEnabled) {
    return "multicast discovery is switched off on this server, as it said when it was last reached: set the server's address here, or switch discovery.enabled on there";
  }
  if (server.group !== own.group || server.port !== own.port) {
    return `this server listens on ${server.group}, UDP port ${server.port}, as it said when it was last reached, and this agent asks ${own.group}, UDP port ${own.port}: make them equal`;
  }
  return `this server listens on that group, as it said when it was last reached: it is down, or this computer is not on its segment and routers do not pass the group, or its TTL of ${own.ttl} is too small: set the server's address here`;
}
