import type { BootEvent, RelayTrace } from "./boot-event.ts";

/** Cisco's circuit id: type 0, four bytes: VLAN, module, port. */
const ciscoCircuit = /^0004([0-9a-f]{4})([0-9a-f]{2})([0-9a-f]{2})$/;
/** Cisco's remote id: type 0, six bytes: the switch's MAC address. */
const ciscoRemote = /^0006([0-9a-f]{12})$/;
const printableHex = /^(?:[2-6][0-9a-f]|7[0-9a-e])+$/;

/** Text as it was written where it is text, otherwise hex. */
function readMark(hex: string): string {
  return printableHex.test(hex)
    ? hex.replaceAll(/../g, (byte) => String.fromCharCode(parseInt(byte, 16)))
    : hex;
}

/** The switch port of option 82, as far as its maker's form is known. */
export function describeCircuit(hex: string): string {
  const [, vlan, module, port] = ciscoCircuit.exec(hex) ?? [];
  return vlan === undefined || module === undefined || port === undefined
    ? readMark(hex)
    : `VLAN ${parseInt(vlan, 16)}, port ${parseInt(module, 16)}/${parseInt(port, 16)}`;
}

function describeRemote(hex: string): string {
  const mac = ciscoRemote.exec(hex)?.[1];
  return mac === undefined ? readMark(hex) : (mac.match(/../g) ?? []).join(":");
}

/** `relay 10.2.0.254 (1 hop), switch port VLAN 20, port 1/3, switch 02:00:00:00:00:01`. */
export function describeRelay({ address, hops, circuitId, remoteId }: RelayTrace): string {
  return [
    `relay ${address} (${hops} hop${hops === 1 ? "" : "s"})`,
    ...(circuitId === null ? [] : [`switch port ${describeCircuit(circuitId)}`]),
    ...(remoteId === null ? [] : [`switch ${describeRemote(remoteId)}`]),
  ].join(", ");
}

/** How a packet of a booting computer came, and how fast it was answered; `null` where there was no packet. */
export function describeTrace({
  relay,
  secondsElapsed,
  latencyMs,
}: Pick<BootEvent, "relay" | "secondsElapsed" | "latencyMs">): string | null {
  const parts = [
    ...(relay === null ? [] : [describeRelay(relay)]),
    ...(secondsElapsed === null || secondsElapsed === 0 ? [] : [`asking for ${secondsElapsed} s`]),
    ...(latencyMs === null ? [] : [`answered in ${latencyMs.toFixed(latencyMs < 10 ? 1 : 0)} ms`]),
  ];
  return parts.length === 0 ? null : parts.join("; ");
}
