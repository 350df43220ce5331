import type { Network, NetworkInterface } from "#platform/network.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { ProbeOrder, ServerProbeMessage } from "#wire/probe/probe-order.ts";
import type { AgentProbeMessage, ProbeSighting } from "#wire/probe/probe-sighting.ts";
import { probeDhcp } from "./dhcp-probe.ts";
import { probeDiscovery } from "./discovery-probe.ts";
import { probeMulticast, probeWake } from "./multicast-probe.ts";
import type { ProbeContext } from "./probe-context.ts";
import { probeClosedPorts, probeControl, probeHttp, probeRemote, probeTransfer } from "./tcp-probes.ts";
import { probeTftp } from "./tftp-probe.ts";

export type ProbeRunnerDependencies = {
  readonly network: Network;
  readonly siteKeyFingerprint: string;
  readonly identity: () => { readonly key: string; readonly cert: string };
  /** Both ends of the control connection of the moment. */
  readonly connection: () => { readonly serverAddress: Ipv4Address; readonly localAddress: Ipv4Address };
  /** Dropped when there is no connection: the server asks again. */
  readonly send: (message: AgentProbeMessage) => void;
};

/** What one server may ask of us at once; more is refused, and said. */
const probeCountMax = 32;
/** A server that never says `probe-end` must not keep sockets of ours open. */
const feedMsMax = 30_000;

/** Tries what the server asks, beside tasks and without touching the control connection. */
export class ProbeRunner {
  readonly #dependencies: ProbeRunnerDependencies;
  /** How to end the wait of a probe that the server feeds, keyed by probe id. BOUNDED by `probeCountMax`. */
  readonly #running = new Map<string, () => void>();

  constructor(dependencies: ProbeRunnerDependencies) {
    this.#dependencies = dependencies;
  }

  receive(message: ServerProbeMessage): void {
    const { probeId } = message;
    if (message.type === "probe-end") {
      this.#running.get(probeId)?.();
      return;
    }
    if (this.#running.has(probeId)) {
      return;
    }
    if (this.#running.size >= probeCountMax) {
      this.#report(probeId, null, `${probeCountMax} probes are running already`);
      return;
    }
    this.#run(probeId, message.order)
      .then(
        (sighting) => this.#report(probeId, sighting, null),
        (error: unknown) =>
          this.#report(probeId, null, error instanceof Error ? error.message : String(error)),
      )
      .finally(() => this.#running.delete(probeId));
  }

  #report(probeId: string, sighting: ProbeSighting | null, reason: string | null): void {
    this.#dependencies.send({
      type: "probe-result",
      probeId,
      sighting,
      reason: reason?.slice(0, 500) ?? null,
    });
  }

  #run(probeId: string, order: ProbeOrder): Promise<ProbeSighting> {
    const { network, siteKeyFingerprint, identity, connection, send } = this.#dependencies;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const timer = setTimeout(end, feedMsMax);
    this.#running.set(probeId, () => {
      clearTimeout(timer);
      end();
    });
    const { serverAddress, localAddress } = connection();
    const context: ProbeContext = {
      network,
      serverAddress,
      networkInterface: interfaceWith(network, localAddress),
      siteKeyFingerprint,
      identity,
      ready: () => send({ type: "probe-ready", probeId }),
      ended,
    };
    return perform(context, order).finally(() => clearTimeout(timer));
  }
}

/** The interface of the control connection: the segment that is being proven. */
function interfaceWith(network: Network, address: Ipv4Address): NetworkInterface {
  const found = network.interfaces().find((nic) => nic.address === address);
  if (found === undefined) {
    throw new Error(`no interface here has the address ${address} of the control connection`);
  }
  return found;
}

async function perform(context: ProbeContext, order: ProbeOrder): Promise<ProbeSighting> {
  switch (order.kind) {
    case "control":
      return probeControl(context, order);
    case "closed-ports":
      return probeClosedPorts(context, order);
    case "http":
      return probeHttp(context, order);
    case "tftp":
      return probeTftp(context, order);
    case "dhcp":
    case "boot-server":
      return probeDhcp(context, order);
    case "discovery":
      return probeDiscovery(context, order);
    case "transfer":
      return probeTransfer(context, order);
    case "remote":
      return probeRemote(context, order);
    case "multicast":
      return probeMulticast(context, order);
    case "wake":
      return probeWake(context, order);
  }
}
