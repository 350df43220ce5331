import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { SegmentIntent } from "./segment.ts";
import type { SettingKey } from "./settings.ts";

/**
 * Who opens or receives the traffic. `agent` is our program on a computer, in its operating system or in preboot;
 * `preboot` stands for preboot alone.
 */
export type FlowRole =
  | "server"
  | "agent"
  | "preboot"
  | "firmware"
  | "relay"
  | "dhcp-server"
  | "operator"
  | "login-provider"
  | "sleeping-computer";

/** Every kind of traffic the product makes. One word for each; stable, because rules and verdicts name it. */
export type FlowId =
  | "boot.dhcp"
  | "boot.dhcp-reply"
  | "boot.server"
  | "boot.tftp"
  | "boot.tftp-data"
  | "boot.mtftp"
  | "boot.tftp-multicast"
  | "boot.http"
  | "agent.discovery"
  | "agent.discovery-reply"
  | "agent.control"
  | "agent.wake"
  | "transfer.data"
  | "transfer.between-servers"
  | "imaging.data"
  | "wake.magic-packet"
  | "remote.control"
  | "console.https"
  | "login.provider"
  /** In no plan: what a prober tries because it must be closed. See `closed-port-flow.ts`. */
  | "verify.closed-port";

/** Fixed ports, or a range the stack chooses from. `from: 0, to: 0` never occurs: dynamic ports are a range. */
export type FlowPorts = { readonly from: number; readonly to: number } | readonly number[];

/**
 * How a program holds sockets for a flow: `standing` on each interface while the flow is on, `passing` while there is
 * work for one, `none` where the sockets of another flow carry it or it is somebody else's part.
 */
export type SocketHolding = "standing" | "passing" | "none";

/** One kind of traffic: from whom, to whom, protocol, ports, groups, why. */
export type Flow = {
  readonly id: FlowId;
  readonly title: string;
  /** One sentence that a network engineer accepts as the reason for a rule. */
  readonly purpose: string;
  /** When it is on the wire, to finish "needed …". */
  readonly needed: string;
  readonly from: FlowRole;
  readonly to: readonly FlowRole[];
  readonly transport: "udp" | "tcp";
  /** Destination ports. */
  readonly ports: FlowPorts;
  /** Source ports where the protocol fixes them, otherwise `null` (dynamic). */
  readonly sourcePorts: FlowPorts | null;
  /** Destination multicast groups; empty for unicast and broadcast. */
  readonly groups: readonly Ipv4Address[];
  /** IP TTL of multicast datagrams, `null` otherwise. */
  readonly ttl: number | null;
  readonly dynamic: boolean;
  /** The setting that governs the ports, `null` where a standard fixes them. */
  readonly setting: SettingKey | null;
  readonly state: "on" | "off";
  /** `paper`: named by the 2002 white paper. `ours`: an addition, shown as such. */
  readonly origin: "paper" | "ours";
  /** Intents of the segments that need it across their boundary; empty: no computer's segment does. */
  readonly intents: readonly SegmentIntent[];
  /** The flow whose sockets carry this one at the server; `null`: its own, or none. */
  readonly carrier: FlowId | null;
  readonly serverSocket: SocketHolding;
  readonly agentSocket: SocketHolding;
};
