import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { loginSettingRules } from "./login-setting-rules.ts";
import { nearestWord } from "./nearest.ts";
import {
  type AddressRange,
  classicSettings,
  type PortRange,
  type SettingKey,
  type Settings,
  type SettingScope,
} from "./settings.ts";

/** A closed room has no more, and a table of them is walked for a newcomer. */
const leaseCountMax = 4096;

/** One key each. */
const menuJobMax = 7;
const jobId = /^j-[0-9a-f]{8}$/;

/** As many as a server may have interfaces. */
const controlAddressMax = 64;

/** A setting was refused. The message names the key, what was given and what is accepted. */
export class SettingError extends Error {
  readonly code: "unknown-setting" | "bad-setting-value";
  readonly key: string;

  constructor(code: SettingError["code"], key: string, message: string) {
    super(message);
    this.name = "SettingError";
    this.code = code;
    this.key = key;
  }
}

/** How one setting is read from text or JSON, with the sentence that help and errors print. */
export type SettingRule<Value> = {
  readonly scope: SettingScope;
  readonly help: string;
  /** What is accepted, to finish the sentence "… must be". */
  readonly accepts: string;
  /** `undefined` when the text is not acceptable; `null` is a legal value of some settings. */
  readonly parse: (text: string) => Value | undefined;
  readonly format: (value: Value) => string;
};

function integer(from: number, to: number): Pick<SettingRule<number>, "accepts" | "parse" | "format"> {
  return {
    accepts: `a whole number from ${from} to ${to}`,
    parse: (text) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      return value >= from && value <= to ? value : undefined;
    },
    format: String,
  };
}

const flag: Pick<SettingRule<boolean>, "accepts" | "parse" | "format"> = {
  accepts: "on or off",
  parse: (text) =>
    ["on", "true", "yes"].includes(text) ? true : ["off", "false", "no"].includes(text) ? false : undefined,
  format: (value) => (value ? "on" : "off"),
};

function choice<Word extends string>(
  ...words: readonly Word[]
): Pick<SettingRule<Word>, "accepts" | "parse" | "format"> {
  return {
    accepts: `one of ${words.join(", ")}`,
    parse: (text) => words.find((word) => word === text),
    format: (value) => value,
  };
}

/** Multicast, and not 224.0.0.0/24, which no router forwards and no switch prunes. RFC 5771 §4 */
function parseGroup(text: string): Ipv4Address | undefined {
  if (!Ipv4Address.isValid(text) || !Ipv4Address.isMulticast(text) || text.startsWith("224.0.0.")) {
    return undefined;
  }
  return text;
}

const group: Pick<SettingRule<Ipv4Address>, "accepts" | "parse" | "format"> = {
  accepts: "a multicast group from 224.0.1.0 to 239.255.255.255",
  parse: parseGroup,
  format: (value) => value,
};

const groupListMax = 256;

/** `224.2.0.2-224.2.0.9`, `239.1.1.1,239.1.1.5`, or a mixture. */
function parseGroups(text: string): readonly Ipv4Address[] | undefined {
  const groups: Ipv4Address[] = [];
  for (const part of text.split(",")) {
    const [first, last = first] = part.split("-").map((end) => parseGroup(end.trim()));
    if (first === undefined || last === undefined) {
      return undefined;
    }
    const from = Ipv4Address.toNumber(first);
    const to = Ipv4Address.toNumber(last);
    if (to < from || groups.length + to - from + 1 > groupListMax) {
      return undefined;
    }
    for (let value = from; value <= to; value += 1) {
      groups.push(Ipv4Address.fromNumber(value));
    }
  }
  return new Set(groups).size === groups.length ? groups : undefined;
}

function parsePortRange(text: string): { from: number; to: number } | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2]);
  return match !== null && from >= 1 && from <= to && to <= 65535 ? { from, to } : undefined;
}

const range: Pick<SettingRule<PortRange>, "accepts" | "parse" | "format"> = {
  accepts: "a port range such as 50000-50100, or any",
  parse: (text) => (text === "any" ? null : parsePortRange(text)),
  format: (value) => (value === null ? "any" : `${value.from}-${value.to}`),
};

function parseAddress(text: string): Ipv4Address | undefined {
  try {
    return Ipv4Address.parse(text);
  } catch {
    return undefined;
  }
}

function parseAddressRanges(text: string): readonly AddressRange[] | undefined {
  if (text === "none") {
    return [];
  }
  const ranges: AddressRange[] = [];
  let addressCount = 0;
  for (const part of text.split(",")) {
    const [from, to, ...more] = part.split("-").map((end) => parseAddress(end.trim()));
    if (from === undefined || to === undefined || more.length > 0) {
      return undefined;
    }
    const [first, last] = [Ipv4Address.toNumber(from), Ipv4Address.toNumber(to)];
    addressCount += last - first + 1;
    const isApart = ranges.every(
      (other) => Ipv4Address.toNumber(other.to) < first || Ipv4Address.toNumber(other.from) > last,
    );
    if (last < first || addressCount > leaseCountMax || !isApart) {
      return undefined;
    }
    ranges.push({ from, to });
  }
  return ranges;
}

function parseControlAddresses(text: string): readonly Ipv4Address[] | undefined {
  if (text === "interface") {
    return [];
  }
  const addresses = text.split(",").map((part) => parseAddress(part.trim()));
  const found = addresses.filter((address) => address !== undefined);
  const isWhole = found.length === addresses.length && new Set(found).size === found.length;
  return isWhole && found.length <= controlAddressMax ? found : undefined;
}

/** No address, since those are no names to a browser; in lower case, as browsers write it. */
function parseHostName(text: string): string | null | undefined {
  const name = text.toLowerCase();
  const labels = name.split(".");
  const isName = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  const isAddress = /^[0-9]+$/.test(labels.at(-1) ?? "");
  return name === "none" ? null : isName && !isAddress && name.length <= 253 ? name : undefined;
}

function parseJobIds(text: string): readonly string[] | undefined {
  const ids = text === "none" ? [] : text.split(",").map((part) => part.trim());
  const isWhole = ids.every((id) => jobId.test(id)) && new Set(ids).size === ids.length;
  return isWhole && ids.length <= menuJobMax ? ids : undefined;
}

function parsePorts(text: string): readonly number[] | undefined {
  const ports: number[] = [];
  for (const part of text.split(",").map((item) => item.trim())) {
    const found = parsePortRange(part.includes("-") ? part : `${part}-${part}`);
    if (found === undefined || ports.length + found.to - found.from + 1 > 64) {
      return undefined;
    }
    for (let port = found.from; port <= found.to; port += 1) {
      ports.push(port);
    }
  }
  return new Set(ports).size === ports.length ? ports : undefined;
}

const port = integer(1, 65535);
const portOrDynamic = { ...integer(0, 65535), accepts: "a port, or 0 for a dynamic one" };

type SettingRules = { readonly [Key in SettingKey]: SettingRule<Settings[Key]> };

/** One row for each setting; file, CLI and API validate through it and nowhere else. */
export const settingRules: SettingRules = {
  "console.name": {
    scope: "server",
    help: "host name by which browsers open the console; security keys need one",
    accepts: "a host name such as portolan.example.org, or none",
    parse: parseHostName,
    format: (value) => value ?? "none",
  },
  "control.tcpPort": { ...port, scope: "server", help: "TCP port of the control connection" },
  "control.addresses": {
    scope: "server",
    help: "address of control connections on an interface that has several",
    accepts: `addresses of this server such as 10.2.0.2, at most ${controlAddressMax}, none twice, or interface for the first of each`,
    parse: parseControlAddresses,
    format: (value) => (value.length === 0 ? "interface" : value.join(",")),
  },
  "discovery.enabled": { ...flag, scope: "server", help: "answer agents that look for us by multicast" },
  "discovery.group": { ...group, scope: "site", help: "multicast group of server discovery" },
  "discovery.port": { ...port, scope: "site", help: "UDP port of server discovery" },
  "discovery.ttl": {
    ...integer(1, 255),
    scope: "site",
    help: "routers a discovery request may cross, plus one",
  },
  "agent.wakePort": { ...port, scope: "site", help: "UDP port that agents send magic packets to" },
  "transfer.port": { ...portOrDynamic, scope: "server", help: "TCP port of every transfer" },
  "transfer.portRange": { ...range, scope: "server", help: "where dynamic transfer ports come from" },
  "transfer.maxMbps": {
    ...integer(0, 100_000),
    scope: "server",
    help: "Mbit/s of all unicast transfers together; 0 for no cap",
  },
  "imaging.groups": {
    scope: "server",
    help: "multicast groups of imaging sessions",
    accepts: `groups from 224.0.1.0 to 239.255.255.255 such as 224.2.0.2-224.2.0.3 or 239.1.1.1,239.1.1.2, at most ${groupListMax}, none twice`,
    parse: parseGroups,
    format: (value) => value.join(","),
  },
  "imaging.ports": {
    scope: "site",
    help: "UDP ports of imaging sessions",
    accepts: "ports such as 401-402 or 5000,5002, at most 64, none twice",
    parse: parsePorts,
    format: (value) => value.join(","),
  },
  "imaging.ttl": { ...integer(1, 255), scope: "site", help: "routers imaging may cross, plus one" },
  "imaging.threshold": {
    scope: "site",
    help: "multicast only when more computers than this take part",
    accepts: "a whole number from 0 to 10000 (0: never multicast), or off",
    parse: (text) => (text === "off" ? null : integer(0, 10_000).parse(text)),
    format: (value) => (value === null ? "off" : String(value)),
  },
  "imaging.maxMbps": { ...integer(0, 100_000), scope: "server", help: "Mbit/s of one session; 0 for no cap" },
  "imaging.startCount": {
    ...integer(0, 10_000),
    scope: "site",
    help: "start a session when this many have joined; 0 for all that were assigned",
  },
  "imaging.startAfterMs": {
    ...integer(0, 86_400_000),
    scope: "site",
    help: "start with those who have joined after this time",
  },
  "boot.mode": {
    ...choice("proxy", "dhcp", "off"),
    scope: "server",
    help: "beside your DHCP server (proxy), with our own leases (dhcp), or no network boot (off)",
  },
  "boot.dhcpRanges": {
    scope: "server",
    help: "addresses to lease in the mode dhcp",
    accepts: `ranges such as 192.168.10.100-192.168.10.199, at most ${leaseCountMax} addresses, or none`,
    parse: parseAddressRanges,
    format: (value) => (value.length === 0 ? "none" : value.map(({ from, to }) => `${from}-${to}`).join(",")),
  },
  "boot.httpPort": { ...port, scope: "server", help: "TCP port of HTTP boot" },
  "boot.uefiLoader": { ...choice("auto", "ipxe", "shim"), scope: "site", help: "first loader for UEFI PXE" },
  "tftp.singlePort": { ...flag, scope: "server", help: "send TFTP data from port 69 itself" },
  "tftp.multicast": { ...flag, scope: "server", help: "offer MTFTP and RFC 2090 multicast" },
  "remote.port": {
    scope: "server",
    help: "TCP port of remote control",
    accepts: "a port, 0 for a dynamic one, or control for inside the control port",
    parse: (text) => (text === "control" ? text : portOrDynamic.parse(text)),
    format: String,
  },
  "remote.portRange": { ...range, scope: "server", help: "where dynamic remote control ports come from" },
  "remote.recordTerminals": { ...flag, scope: "site", help: "keep what terminal sessions show" },
  "wake.port": { ...port, scope: "server", help: "UDP port that the server sends magic packets to" },
  "initialDeployment.action": {
    ...choice("wait", "local", "menu", "job"),
    scope: "site",
    help: "new computers wait in preboot, boot from their own disk, show a menu, or do the default job",
  },
  "initialDeployment.jobs": {
    scope: "site",
    help: "jobs that the menu of new computers offers",
    accepts: `ids of jobs such as j-1a2b3c4d,j-5e6f7a8b, at most ${menuJobMax}, none twice, or none`,
    parse: parseJobIds,
    format: (value) => (value.length === 0 ? "none" : value.join(",")),
  },
  "initialDeployment.default": {
    scope: "site",
    help: "what a new computer does when nobody chooses",
    accepts: "the id of a job, local for its own disk, or wait",
    parse: (text) => (text === "local" || text === "wait" || jobId.test(text) ? text : undefined),
    format: String,
  },
  "initialDeployment.menuMs": {
    ...integer(0, 86_400_000),
    scope: "site",
    help: "how long the menu waits for a key; 0 for ever",
  },
  "initialDeployment.mayErase": {
    ...flag,
    scope: "site",
    help: "the default job may erase disks of new computers although nobody chose it there",
  },
  ...loginSettingRules,
};

export const settingKeys = Object.keys(classicSettings) as readonly SettingKey[];

/** @throws SettingError `unknown-setting`, with the nearest key */
export function parseSettingKey(text: string): SettingKey {
  const key = settingKeys.find((candidate) => candidate === text);
  if (key === undefined) {
    const nearest = nearestWord(text, settingKeys);
    const hint = nearest === null ? "portolan settings list shows them all" : `did you mean ${nearest}?`;
    throw new SettingError("unknown-setting", text, `there is no setting ${JSON.stringify(text)}; ${hint}`);
  }
  return key;
}

/** @throws SettingError `bad-setting-value` */
export function parseSettingValue<Key extends SettingKey>(key: Key, text: string): Settings[Key] {
  const rule: SettingRule<Settings[Key]> = settingRules[key];
  const value = rule.parse(text.trim());
  if (value === undefined) {
    throw new SettingError(
      "bad-setting-value",
      key,
      `${key} = ${JSON.stringify(text)} is refused: it must be ${rule.accepts}`,
    );
  }
  return value;
}

export function formatSettingValue<Key extends SettingKey>(key: Key, value: Settings[Key]): string {
  const rule: SettingRule<Settings[Key]> = settingRules[key];
  return rule.format(value);
}

/**
 * Settings from stored texts over a profile's values.
 *
 * @throws SettingError for the first text that is not acceptable
 */
export function overlaySettings(base: Settings, stored: Readonly<Record<string, string>>): Settings {
  const changed = Object.entries(stored).map(([text, value]) => {
    const key = parseSettingKey(text);
    return [key, parseSettingValue(key, value)] as const;
  });
  return { ...base, ...Object.fromEntries(changed) };
}
