import type { Network, NetworkInterface } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** What a probe may use. */
export type ProbeContext = {
  readonly network: Network;
  /** The server of the control connection, and our end of it: the path that is proven. */
  readonly serverAddress: Ipv4Address;
  readonly networkInterface: NetworkInterface;
  readonly siteKeyFingerprint: string;
  readonly identity: () => { readonly key: string; readonly cert: string };
  /** Tells the server that it may send. */
  readonly ready: () => void;
  /** Resolves when the server has sent everything, or after a bound of time. */
  readonly ended: Promise<void>;
};

/** Long enough for a lost first packet to be sent again by the stack (one second) and once more. */
export const tcpTimeoutMs = 3500;

export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
