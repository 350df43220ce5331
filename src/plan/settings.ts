import { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** `site`: one value for every server of the database. `server`: one server may have its own instead. */
export type SettingScope = "site" | "server";

/** Every setting with the type of its value. Keys are fixed interface: BLUEPRINT §4. */
export type Settings = {
  /** Host name by which browsers open the console of this server; `null`: by address alone. */
  readonly "console.name": string | null;
  readonly "control.tcpPort": number;
  /** Where control connections are taken on interfaces with several addresses; empty: at the first of each. */
  readonly "control.addresses": readonly Ipv4Address[];
  readonly "discovery.enabled": boolean;
  readonly "discovery.group": Ipv4Address;
  readonly "discovery.port": number;
  readonly "discovery.ttl": number;
  readonly "agent.wakePort": number;
  /** 0 means dynamic: the TCP/IP stack chooses, within `transfer.portRange` where one is set. */
  readonly "transfer.port": number;
  readonly "transfer.portRange": PortRange;
  /** Mbit/s of all unicast transfers together; 0 means no cap. */
  readonly "transfer.maxMbps": number;
  readonly "imaging.groups": readonly Ipv4Address[];
  readonly "imaging.ports": readonly number[];
  readonly "imaging.ttl": number;
  /** Multicast only when more than this many computers take part; `null` means whenever more than one does. */
  readonly "imaging.threshold": number | null;
  /** Mbit/s on the wire for each session; 0 means no cap. */
  readonly "imaging.maxMbps": number;
  /** Start a session when this many have joined; 0 means all that were assigned. */
  readonly "imaging.startCount": number;
  readonly "imaging.startAfterMs": number;
  readonly "boot.mode": "proxy" | "dhcp" | "off";
  /** Addresses this server leases in the mode `dhcp`; each in the subnet of one of its interfaces. */
  readonly "boot.dhcpRanges": readonly AddressRange[];
  readonly "boot.httpPort": number;
  /** What UEFI PXE firmware is given first. `auto`: iPXE, then the signed shim once iPXE was refused. */
  readonly "boot.uefiLoader": "auto" | "ipxe" | "shim";
  readonly "tftp.singlePort": boolean;
  readonly "tftp.multicast": boolean;
  /** 0 means dynamic; `control` means inside the control port. */
  readonly "remote.port": number | "control";
  readonly "remote.portRange": PortRange;
  /** Whether terminal sessions are kept. */
  readonly "remote.recordTerminals": boolean;
  readonly "wake.port": number;
  /** What new computers get: they wait in preboot, boot from their own disk, show a menu, or do the default job. */
  readonly "initialDeployment.action": "wait" | "local" | "menu" | "job";
  /** Jobs that the menu offers, by id, in order. */
  readonly "initialDeployment.jobs": readonly string[];
  /** A job's id, or what else the menu has. Taken when nobody chooses, and by the action `job`. */
  readonly "initialDeployment.default": string;
  /** How long the menu waits for a key before it takes the default; 0: for ever. */
  readonly "initialDeployment.menuMs": number;
  /** Whether the default may erase a disk without anybody having chosen it at the computer. */
  readonly "initialDeployment.mayErase": boolean;
  /** Address of the login provider (OpenID Connect); `null`: there is none. */
  readonly "login.issuer": string | null;
  readonly "login.clientId": string;
  readonly "login.title": string;
  readonly "login.groupsClaim": string;
  readonly "login.administrators": readonly string[];
  readonly "login.operators": readonly string[];
  readonly "login.viewers": readonly string[];
  /** Of verified e-mail addresses; empty: whoever the provider knows. */
  readonly "login.domains": readonly string[];
};

export type SettingKey = keyof Settings;

/** Where agents ask for their server. */
export type DiscoveryPlace = { readonly group: Ipv4Address; readonly port: number };

/** Both ends included. */
export type AddressRange = { readonly from: Ipv4Address; readonly to: Ipv4Address };

/** Both ends included. `null` means the range the kernel is configured with. */
export type PortRange = { readonly from: number; readonly to: number } | null;

const paperGroups = ["224.2.0.2", "224.2.0.3"].map((group) => Ipv4Address.parse(group));
const localGroups = ["239.192.2.2", "239.192.2.3"].map((group) => Ipv4Address.parse(group));

/** The values of the 2002 paper. What the paper leaves dynamic is dynamic here. */
export const classicSettings: Settings = {
  "console.name": null,
  "control.tcpPort": 402,
  "control.addresses": [],
  "discovery.enabled": true,
  "discovery.group": Ipv4Address.parse("225.1.2.3"),
  "discovery.port": 402,
  "discovery.ttl": 32,
  "agent.wakePort": 401,
  "transfer.port": 0,
  "transfer.portRange": null,
  "transfer.maxMbps": 0,
  "imaging.groups": paperGroups,
  "imaging.ports": [401, 402],
  "imaging.ttl": 16,
  "imaging.threshold": null,
  "imaging.maxMbps": 0,
  "imaging.startCount": 0,
  "imaging.startAfterMs": 120_000,
  "boot.mode": "proxy",
  "boot.dhcpRanges": [],
  "boot.httpPort": 8069,
  "boot.uefiLoader": "auto",
  "tftp.singlePort": false,
  "tftp.multicast": false,
  "remote.port": 0,
  "remote.portRange": null,
  "remote.recordTerminals": true,
  "wake.port": 9,
  "initialDeployment.action": "wait",
  "initialDeployment.jobs": [],
  "initialDeployment.default": "wait",
  "initialDeployment.menuMs": 30_000,
  "initialDeployment.mayErase": false,
  "login.issuer": null,
  "login.clientId": "portolan",
  "login.title": "Log in at your organisation",
  "login.groupsClaim": "groups",
  "login.administrators": [],
  "login.operators": [],
  "login.viewers": [],
  "login.domains": [],
};

/** Everything on declared ports: what a firewall team can write down. */
export const firewallSettings: Settings = {
  ...classicSettings,
  "discovery.group": Ipv4Address.parse("239.192.2.1"),
  "transfer.port": 4402,
  "imaging.groups": localGroups,
  "tftp.singlePort": true,
  "remote.port": "control",
};

/** Where remote control connects to: the control port's own number means inside it as well. */
export function remotePort(settings: Settings): Settings["remote.port"] {
  const port = settings["remote.port"];
  return port === settings["control.tcpPort"] ? "control" : port;
}

export const settingProfiles = { classic: classicSettings, firewall: firewallSettings } as const;
export type ProfileName = keyof typeof settingProfiles;
