import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { parse as parseToml, TomlError } from "smol-toml";
import { z } from "zod";
import { nearestWord } from "#plan/nearest.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** What a server needs to start. Everything else is a setting in the store. */
export type ServerConfig = {
  readonly name: string;
  /** Nothing is served on an interface that is not here. */
  readonly interfaces: readonly string[];
  readonly dataDir: string;
  /** Relay agents we answer; empty: none. */
  readonly relays: readonly Ipv4Address[];
  readonly databaseUrl: string;
  readonly consolePort: number;
};

export type ConfigFlags = {
  readonly config?: string;
  readonly data?: string;
  readonly interface?: string;
  readonly consolePort?: number;
};

/** The configuration was refused. The message names the key, the file and the way out. */
export class ConfigError extends Error {
  readonly code = "bad-config";

  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}

const defaultConfigPath = "/etc/portolan/portolan.toml";

const ipv4 = z
  .string()
  .refine((text) => Ipv4Address.isValid(text), "must be an IPv4 address such as 10.2.0.1");
const interfaceName = z.string().regex(/^[^\s/]{1,15}$/, "must be the name of a network interface");

const fileSchema = z.strictObject({
  server: z
    .strictObject({
      name: z.string().min(1).max(63).optional(),
      interfaces: z.array(interfaceName).max(64).optional(),
      dataDir: z.string().startsWith("/", "must be an absolute path").optional(),
      relays: z.array(ipv4).max(4096).optional(),
    })
    .optional(),
  database: z.strictObject({ url: z.string().min(1).optional() }).optional(),
  console: z.strictObject({ port: z.int().min(1).max(65535).optional() }).optional(),
});

type ConfigFile = z.infer<typeof fileSchema>;

const knownKeys: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(fileSchema.shape),
  server: ["name", "interfaces", "dataDir", "relays"],
  database: ["url"],
  console: ["port"],
};

function explainIssue(path: string, issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    const table = issue.path.join(".");
    const [key = ""] = issue.keys;
    const nearest = nearestWord(key, knownKeys[table] ?? []);
    const place = table === "" ? `the table [${key}]` : `the key ${key} in [${table}]`;
    const hint =
      nearest === null ? `known are: ${(knownKeys[table] ?? []).join(", ")}` : `did you mean ${nearest}?`;
    return `${path}: ${place} is unknown; ${hint}`;
  }
  return `${path}: ${issue.path.join(".")}: ${issue.message}`;
}

/** @throws ConfigError */
export function parseConfigFile(path: string, text: string): ConfigFile {
  let raw: unknown;
  try {
    raw = parseToml(text);
  } catch (error) {
    if (error instanceof TomlError) {
      throw new ConfigError(`${path}: ${error.message}`);
    }
    throw error;
  }
  const parsed = fileSchema.safeParse(raw);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => explainIssue(path, issue)).join("\n"));
  }
  return parsed.data;
}

function readConfigFile(flags: ConfigFlags): ConfigFile {
  const path = flags.config ?? defaultConfigPath;
  try {
    return parseConfigFile(path, readFileSync(path, "utf8"));
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing && flags.config === undefined) {
      return {};
    }
    if (isMissing) {
      throw new ConfigError(`${path} does not exist; name an existing file with --config`);
    }
    throw error;
  }
}

/**
 * The configuration from file and flags; flags win, `--interface` adds.
 *
 * @throws ConfigError
 */
export function loadConfig(flags: ConfigFlags): ServerConfig {
  const file = readConfigFile(flags);
  const added = (flags.interface ?? "").split(",").filter((name) => name !== "");
  const interfaces = [...new Set([...(file.server?.interfaces ?? []), ...added])];
  if (interfaces.length === 0) {
    throw new ConfigError(
      "no network interface is named, so there is nothing to serve; " +
        'add --interface eth0, or interfaces = ["eth0"] under [server] in the configuration',
    );
  }
  return {
    name: file.server?.name ?? hostname(),
    interfaces,
    dataDir: flags.data ?? file.server?.dataDir ?? "/var/lib/portolan",
    relays: (file.server?.relays ?? []).map((address) => Ipv4Address.parse(address)),
    databaseUrl: file.database?.url ?? "sqlite:",
    consolePort: flags.consolePort ?? file.console?.port ?? 8443,
  };
}
