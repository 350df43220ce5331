import { readFileSync } from "node:fs";
import { parse as parseToml } from "smol-toml";
import type { DiscoverySettings } from "#engine/agent/server-search.ts";
import { nearestWord } from "#plan/nearest.ts";
import { classicSettings } from "#plan/settings.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { remotePolicies, type RemotePolicy } from "#wire/control/agent-settings.ts";
import type { Environment } from "#wire/control/message.ts";
import { agentPlaces } from "./agent-places.ts";

/** Settings of the agent's file and flags, by their keys. */
export type AgentOverrides = {
  readonly server?: string;
  readonly controlPort?: string;
  readonly siteKey?: string;
};

export type AgentConfig = {
  readonly environment: Environment;
  /** Tried first. `null`: look for a server by multicast alone. */
  readonly server: Ipv4Address | null;
  /** `null`: never look for a server by multicast. */
  readonly discovery: DiscoverySettings | null;
  /** What `discovery` is, or would be if it were on. */
  readonly lastDiscovery: DiscoverySettings;
  /** Hash of the password that a local change needs, `null` when none is set. */
  readonly lock: string | null;
  readonly remoteControl: RemotePolicy;
  /** Whether users are told when an operator comes and goes. */
  readonly remoteNotice: boolean;
  /** The X11 display that operators see, such as `:0`; `null`: the one that is in use. */
  readonly remoteDisplay: string | null;
  readonly controlPort: number;
  /** SHA-256 of the site's public key (SPKI DER), hex. An agent without one connects to nobody. */
  readonly siteKeyFingerprint: string;
  readonly bootToken: string | null;
  /** Where key and certificate are kept; `null` in preboot, where every boot has a new key. */
  readonly stateDir: string | null;
};

/** The agent cannot start with what it was told. The message names the option and its place. */
export class AgentConfigError extends Error {
  readonly code = "bad-config";

  constructor(message: string) {
    super(message);
    this.name = "AgentConfigError";
  }
}

const fingerprintPattern = /^[0-9a-f]{64}$/;

export const agentSettingKeys = [
  "server",
  "controlPort",
  "siteKey",
  "stateDir",
  "discovery",
  "discoveryGroup",
  "discoveryPort",
  "discoveryTtl",
  "lock",
  "remoteControl",
  "remoteNotice",
  "remoteDisplay",
] as const;

type Raw = Readonly<Record<string, unknown>>;
type Common = Pick<
  AgentConfig,
  | "server"
  | "discovery"
  | "lastDiscovery"
  | "lock"
  | "remoteControl"
  | "remoteNotice"
  | "remoteDisplay"
  | "controlPort"
  | "siteKeyFingerprint"
>;

function readInteger(raw: Raw, key: string, fallback: number, to: number, place: string): number {
  const value = Number(raw[key] ?? fallback);
  if (!Number.isInteger(value) || value < 1 || value > to) {
    throw new AgentConfigError(`${place}: ${key} is not a whole number from 1 to ${to}`);
  }
  return value;
}

function readDiscovery(
  raw: Raw,
  place: string,
): { readonly isOn: boolean; readonly settings: DiscoverySettings } {
  const isOn = raw["discovery"] ?? true;
  if (typeof isOn !== "boolean") {
    throw new AgentConfigError(`${place}: discovery is true or false`);
  }
  const group = raw["discoveryGroup"] ?? classicSettings["discovery.group"];
  if (typeof group !== "string" || !Ipv4Address.isValid(group) || !Ipv4Address.isMulticast(group)) {
    throw new AgentConfigError(`${place}: discoveryGroup is no IPv4 multicast group`);
  }
  const port = readInteger(raw, "discoveryPort", classicSettings["discovery.port"], 65_535, place);
  const ttl = readInteger(raw, "discoveryTtl", classicSettings["discovery.ttl"], 255, place);
  return { isOn, settings: { group, port, ttl } };
}

function readCommon(raw: Raw, place: string): Common {
  const { server, siteKey } = raw;
  if (typeof siteKey !== "string" || !fingerprintPattern.test(siteKey)) {
    throw new AgentConfigError(
      `${place}: the site key is missing or no SHA-256; without it no server can be trusted. portolan status shows it`,
    );
  }
  if (server !== undefined && (typeof server !== "string" || !Ipv4Address.isValid(server))) {
    throw new AgentConfigError(`${place}: server is no IPv4 address`);
  }
  const discovery = readDiscovery(raw, place);
  if (server === undefined && !discovery.isOn) {
    throw new AgentConfigError(
      `${place}: discovery is disabled and no server address is set, so there is no way to find the server; set server, or discovery = true`,
    );
  }
  const controlPort = readInteger(raw, "controlPort", classicSettings["control.tcpPort"], 65_535, place);
  const lock = raw["lock"] ?? null;
  if (lock !== null && typeof lock !== "string") {
    throw new AgentConfigError(`${place}: lock is no hash; portolan agent settings lock PASSWORD sets it`);
  }
  const remoteControl = remotePolicies.find((policy) => policy === (raw["remoteControl"] ?? "allow"));
  const remoteNotice = raw["remoteNotice"] ?? true;
  if (remoteControl === undefined || typeof remoteNotice !== "boolean") {
    throw new AgentConfigError(
      `${place}: remoteControl is ${remotePolicies.join(", ")}; remoteNotice is true or false`,
    );
  }
  const remoteDisplay = raw["remoteDisplay"] ?? null;
  if (remoteDisplay !== null && (typeof remoteDisplay !== "string" || !/^:[0-9]{1,4}$/.test(remoteDisplay))) {
    throw new AgentConfigError(`${place}: remoteDisplay is a display of this computer, such as ":0"`);
  }
  return {
    remoteControl,
    remoteNotice,
    remoteDisplay,
    server: server ?? null,
    discovery: discovery.isOn ? discovery.settings : null,
    lastDiscovery: discovery.settings,
    lock,
    controlPort,
    siteKeyFingerprint: siteKey,
  };
}

/** Options of the kernel command line, as the boot services write them. */
export function parseKernelCommandLine(text: string, overrides: AgentOverrides = {}): AgentConfig {
  const words = new Map<string, string>(
    text
      .trim()
      .split(/\s+/)
      .map((word) => {
        const equals = word.indexOf("=");
        return equals === -1 ? [word, ""] : [word.slice(0, equals), word.slice(equals + 1)];
      }),
  );
  const raw = {
    server: words.get("portolan.server"),
    controlPort: words.get("portolan.port"),
    siteKey: words.get("portolan.key"),
    ...overrides,
  };
  return {
    environment: "preboot",
    ...readCommon(raw, "the kernel command line"),
    bootToken: words.get("portolan.boot") ?? null,
    stateDir: null,
  };
}

/** `/etc/portolan/agent.toml`. @throws AgentConfigError naming the key */
export function parseAgentFile(path: string, text: string, overrides: AgentOverrides = {}): AgentConfig {
  let raw: Raw;
  try {
    raw = { ...parseToml(text), ...overrides };
  } catch (error) {
    throw new AgentConfigError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const unknown = Object.keys(raw).find((key) => !agentSettingKeys.some((known) => known === key));
  if (unknown !== undefined) {
    const nearest = nearestWord(unknown, agentSettingKeys);
    const hint = nearest === null ? `known are: ${agentSettingKeys.join(", ")}` : `is it ${nearest}?`;
    throw new AgentConfigError(`${path}: the key ${unknown} is unknown; ${hint}`);
  }
  const stateDir = typeof raw["stateDir"] === "string" ? raw["stateDir"] : agentPlaces.state;
  return { environment: "os", ...readCommon(raw, path), bootToken: null, stateDir };
}

/** @throws AgentConfigError */
export function loadAgentConfig(
  environment: Environment,
  path: string,
  overrides: AgentOverrides = {},
): AgentConfig {
  if (environment === "preboot") {
    return parseKernelCommandLine(readFileSync("/proc/cmdline", "utf8"), overrides);
  }
  try {
    return parseAgentFile(path, readFileSync(path, "utf8"), overrides);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      if (overrides.siteKey !== undefined) {
        return parseAgentFile("the command line", "", overrides);
      }
      throw new AgentConfigError(`${path} does not exist; portolan agent install writes it`);
    }
    throw error;
  }
}
