import type { TLSSocket } from "node:tls";
import type { ServerPlace } from "#engine/agent/server-search.ts";
import { computeFlows, findFlow } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { grantSocket } from "#plan/socket-grant.ts";
import { connectPinned } from "#platform/pinned-tls.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { AgentIdentity } from "./identity.ts";

/** Nobody is there who has not answered by then. */
const connectTimeoutMs = 10_000;
/** A server to which all its agents come back at once is slow; whoever gives up and starts anew makes it slower. */
const handshakeTimeoutMs = 30_000;
const patienceMsMin = 1000;

/**
 * A connection of the agent to its server, with its certificate where it has one.
 *
 * @throws PinError before anything was sent, NetworkError when there is no answer
 */
export function connectServer(given: {
  readonly flowId: "agent.control" | "remote.control";
  readonly place: ServerPlace;
  /** At most so long, for settings on trial. */
  readonly patienceMs: number;
  readonly localAddress: Ipv4Address | undefined;
  readonly identity: AgentIdentity;
  readonly siteKeyFingerprint: string;
}): Promise<TLSSocket> {
  const { flowId, place, identity, localAddress, siteKeyFingerprint } = given;
  const ports = { ...classicSettings, "control.tcpPort": place.port };
  const grant = grantSocket(findFlow(computeFlows(ports, { consolePort: 8443 }), flowId), {
    role: "agent",
    side: "connect",
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  const within = (timeoutMs: number): number =>
    Math.max(patienceMsMin, Math.min(timeoutMs, given.patienceMs));
  const target = {
    ...place,
    timeoutMs: within(connectTimeoutMs),
    handshakeTimeoutMs: within(handshakeTimeoutMs),
  };
  const { certificatePem, keyPem } = identity;
  return connectPinned(grant, target, {
    siteKeyFingerprint,
    ...(certificatePem === null ? {} : { key: keyPem, cert: certificatePem }),
  });
}
