import { Ipv4Address } from "../address/ipv4-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import { JsonFields } from "./json-fields.ts";

/** What the agent answers when an operator wants to work on its computer. `ask`: what its user says. */
export const remotePolicies = ["allow", "ask", "never"] as const;
export type RemotePolicy = (typeof remotePolicies)[number];

/** How an installed agent finds its server, and what it lets operators do. */
export type AgentSettings = {
  /** Tried first; `null`: by multicast alone. */
  readonly server: Ipv4Address | null;
  readonly controlPort: number;
  readonly discovery: boolean;
  readonly discoveryGroup: Ipv4Address;
  readonly discoveryPort: number;
  readonly discoveryTtl: number;
  readonly remoteControl: RemotePolicy;
  /** Who is logged in is told while an operator works. */
  readonly remoteNotice: boolean;
};

/** What is left out stays as it is. */
export type AgentSettingsChange = Partial<AgentSettings> & {
  /** Hash of the password that local changes need from now on; `null` takes the lock away. */
  readonly lock?: string | null;
};

function decodeGroup(fields: JsonFields, key: string): Ipv4Address {
  const group = Ipv4Address.parse(fields.text(key, 15));
  if (!Ipv4Address.isMulticast(group)) {
    throw new WireError({ code: "bad-value", field: `settings.${key}`, offset: 0, detail: "no group" });
  }
  return group;
}

const decoders: { readonly [Key in keyof AgentSettings]: (fields: JsonFields) => AgentSettings[Key] } = {
  server: (fields) => {
    const text = fields.textOrNull("server", 15);
    return text === null ? null : Ipv4Address.parse(text);
  },
  controlPort: (fields) => fields.integer("controlPort", 1, 65_535),
  discovery: (fields) => fields.flag("discovery"),
  discoveryGroup: (fields) => decodeGroup(fields, "discoveryGroup"),
  discoveryPort: (fields) => fields.integer("discoveryPort", 1, 65_535),
  discoveryTtl: (fields) => fields.integer("discoveryTtl", 1, 255),
  // Agents of before tell neither.
  remoteControl: (fields) =>
    fields.raw("remoteControl") === undefined ? "allow" : fields.choice("remoteControl", remotePolicies),
  remoteNotice: (fields) => fields.raw("remoteNotice") === undefined || fields.flag("remoteNotice"),
};

export const agentSettingNames = Object.keys(decoders) as readonly (keyof AgentSettings)[];

/** @throws WireError `bad-value` */
export function decodeAgentSettings(value: unknown): AgentSettings {
  const fields = new JsonFields(value, "settings");
  return {
    server: decoders.server(fields),
    controlPort: decoders.controlPort(fields),
    discovery: decoders.discovery(fields),
    discoveryGroup: decoders.discoveryGroup(fields),
    discoveryPort: decoders.discoveryPort(fields),
    discoveryTtl: decoders.discoveryTtl(fields),
    remoteControl: decoders.remoteControl(fields),
    remoteNotice: decoders.remoteNotice(fields),
  };
}

/** @throws WireError `bad-value` */
export function decodeAgentSettingsChange(value: unknown): AgentSettingsChange {
  const fields = new JsonFields(value, "settings");
  const given = agentSettingNames.filter((name) => fields.raw(name) !== undefined);
  const change = Object.fromEntries(given.map((name) => [name, decoders[name](fields)]));
  return fields.raw("lock") === undefined ? change : { ...change, lock: fields.textOrNull("lock", 256) };
}
