import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Segment } from "../segment.ts";
import type { DeviceNeed } from "./device-lines.ts";
import type { BoundaryMulticast, BoundaryRule } from "./boundary-rules.ts";

/** Everything a renderer may know. It holds no time, so the same plan gives the same text. */
export type ExportInput = {
  readonly serverName: string;
  readonly profile: string;
  readonly segment: Segment;
  /** The server address that the segment's computers use. */
  readonly serverAddress: Ipv4Address;
  readonly rules: readonly BoundaryRule[];
  readonly multicast: BoundaryMulticast;
  /** Every group a rule of the plan names, also where multicast stays local. */
  readonly groups: readonly Ipv4Address[];
  /** The site's DHCP servers, which relays must reach beside us; empty: not known. */
  readonly dhcpServerAddresses: readonly Ipv4Address[];
  /** TCP port of HTTP boot, for DHCP servers that hand out URLs. */
  readonly httpPort: number;
  /** The router's interface into the segment and the one towards the server; `null`: to be filled in by its owner. */
  readonly segmentInterface: string | null;
  readonly serverInterface: string | null;
};

/** A format: a pure renderer over the rules of one boundary. */
export type Exporter = {
  /** What this is, for lists: `nftables, on a Linux router`. */
  readonly title: string;
  /** The device whose configuration this is; a remedy names it. */
  readonly device: "router" | "server" | "computer" | "dhcp-server";
  readonly fileExtension: string;
  /** Where the rollback is of another kind than the file. */
  readonly rollbackExtension?: string;
  /** The lines of this rule and no other; empty where the device has none for it. */
  readonly renderLine: (rule: BoundaryRule, input: ExportInput) => readonly string[];
  /** The same with the place where they are missing, for devices where the lines alone do not tell it. */
  readonly renderMissing?: (rule: BoundaryRule, input: ExportInput) => readonly string[];
  /** What it lacks beside rules, without comments; empty where it has no such lines. */
  readonly renderNeed?: (need: DeviceNeed, input: ExportInput) => readonly string[];
  /** What gives computers of the segment addresses, on devices that can. */
  readonly renderRange?: (input: ExportInput) => readonly string[];
  /** Ends with a new line. Loading it again changes nothing. */
  readonly render: (input: ExportInput) => string;
  /** Takes back what `render` did, and nothing else. */
  readonly renderRollback: (input: ExportInput) => string;
};
