import { findSegment, type Segment } from "#plan/segment.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Finding } from "./finding.ts";

/** An agent has told of a server that answers on the discovery group with a key that is not the site's. */
export type RogueSighting = {
  readonly address: Ipv4Address;
  /** SHA-256 of its key, hex. */
  readonly fingerprint: string;
  /** Of the agent that was answered. */
  readonly agentAddress: Ipv4Address;
};

/** @returns nothing where the agent is on no segment that is known */
export function findRogueDiscovery(sighting: RogueSighting, segments: readonly Segment[]): Finding[] {
  const { address, fingerprint, agentAddress } = sighting;
  const segment = findSegment(segments, agentAddress);
  return segment === null
    ? []
    : [
        {
          kind: "rogue-discovery-server",
          severity: "warning",
          subject: { type: "segment", name: segment.name },
          evidence: `${address} answered the agent at ${agentAddress} with the key ${fingerprint.slice(0, 16)}…`,
          cause:
            "a server that does not belong to this site answers agents that look for theirs; it got no connection",
          remedy: `find the device with the address ${address} and switch it off, or give one of the two sites another discovery group: portolan settings set discovery.group 239.192.2.9`,
        },
      ];
}
