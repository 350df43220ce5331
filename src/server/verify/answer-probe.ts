import type { BootProgram } from "#engine/boot/boot-program.ts";
import { buildProxyAnswer, type DhcpArrival, type ProxyAnswer } from "#engine/dhcp/proxy-responder.ts";
import { readRelayTrace } from "#engine/dhcp/read-boot-request.ts";
import type { NetworkInterface } from "#platform/network.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { MacAddress } from "#wire/address/mac-address.ts";
import { messageType } from "#wire/dhcp4/options/message-type.ts";
import { probeFile, type ProbeArrival, type ProbeWatch } from "./probe-watch.ts";

const program: BootProgram = { type: "tftp-file", loader: "ipxe-bios", fileName: "portolan-probe" };

/**
 * The answer to a prober's DISCOVER or boot server request, by the same rules as a computer's: relays that nobody named
 * get none. Notes that it came. `null` when no verification of this server waits for it.
 */
export function answerProbe(
  arrival: DhcpArrival,
  mac: MacAddress,
  given: {
    readonly networkInterface: NetworkInterface;
    readonly relays: readonly Ipv4Address[];
    readonly probes: ProbeWatch;
  },
): ProxyAnswer | null {
  const { packet, port, sourceAddress, sourcePort } = arrival;
  const isAsked = messageType(packet.options) === (port === 67 ? "discover" : "request");
  const isRelayed = packet.relayAddress !== Ipv4Address.any;
  const isListed = !isRelayed || given.relays.includes(packet.relayAddress);
  const seen: ProbeArrival = {
    sourceAddress,
    sourcePort,
    interfaceName: given.networkInterface.name,
    relay: readRelayTrace(packet),
    silence: isListed ? null : "relay-not-listed",
  };
  if (!isAsked || !given.probes.see(`mac:${port}:${mac}`, seen)) {
    return null;
  }
  return isListed
    ? buildProxyAnswer(arrival, { program, serverAddress: given.networkInterface.address, mtftp: null })
    : { type: "ignore", reason: "no-return-address" };
}

/** The file that a prober reads by TFTP, while somebody waits for that. */
export function seeProbedFile(
  probes: ProbeWatch,
  fileName: string,
  asker: { readonly networkInterface: NetworkInterface; readonly address: Ipv4Address },
): Uint8Array | null {
  const isExpected = probes.see(`file:${fileName}`, {
    sourceAddress: asker.address,
    sourcePort: 0,
    interfaceName: asker.networkInterface.name,
    relay: null,
    silence: null,
  });
  return isExpected ? probeFile : null;
}
