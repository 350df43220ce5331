import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { SettingKey } from "./settings.ts";

/** Who opens or receives the traffic. */
export type FlowRole =
  | "server"
  | "agent"
  | "preboot"
  | "firmware"
  | "relay"
  | "dhcp-server"
  | "operator"
  | "sleeping-computer";

/** Every kind of traffic the product makes. One word for each; stable, because rules and verdicts name it. */
export type FlowId =
  | "boot.dhcp"
  | "boot.dhcp-reply"
  | "boot.server"
  | "boot.tftp"
  | "boot.tftp-data"
  | "boot.tftp-multicast"
  | "boot.http"
  | "agent.discovery"
  | "agent.discovery-reply"
  | "agent.control"
  | "agent.wake"
  | "transfer.data"
  | "imaging.data"
  | "wake.magic-packet"
  | "remote.control"
  | "console.https";

/** Fixed ports, or a range the stack chooses from. `from: 0, to: 0` never occurs: dynamic ports are a range. */
export type FlowPorts = { readonly from: number; readonly to: number } | readonly number[];

/** One kind of traffic: from whom, to whom, protocol, ports, groups, why. */
export type Flow = {
  readonly id: FlowId;
  readonly title: string;
  /** One sentence that a network engineer accepts as the reason for a rule. */
  readonly purpose: string;
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
};
