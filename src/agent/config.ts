import { readFileSync } from "node:fs";
import { parse as parseToml } from "smol-toml";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { Environment } from "#wire/control/message.ts";

export type AgentConfig = {
  readonly environment: Environment;
  /** `null`: look for a server by multicast. */
  readonly server: Ipv4Address | null;
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

function readSettings(
  raw: Readonly<Record<string, unknown>>,
  place: string,
): Pick<AgentConfig, "server" | "controlPort" | "siteKeyFingerprint"> {
  const { server, controlPort = 402, siteKey } = raw;
  if (typeof siteKey !== "string" || !fingerprintPattern.test(siteKey)) {
    throw new AgentConfigError(
      `${place}: the site key is missing or no SHA-256; without it no server can be trusted. portolan status shows it`,
    );
  }
  if (server !== undefined && (typeof server !== "string" || !Ipv4Address.isValid(server))) {
    throw new AgentConfigError(`${place}: server is no IPv4 address`);
  }
  const port = Number(controlPort);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new AgentConfigError(`${place}: the control port is not a port`);
  }
  return { server: server ?? null, controlPort: port, siteKeyFingerprint: siteKey };
}

/** Options of the kernel command line, as the boot services write them. */
export function parseKernelCommandLine(text: string): AgentConfig {
  const words = new Map(
    text
      .trim()
      .split(/\s+/)
      .map((word): [string, string] => {
        const equals = word.indexOf("=");
        return equals === -1 ? [word, ""] : [word.slice(0, equals), word.slice(equals + 1)];
      }),
  );
  const place = "the kernel command line";
  const settings = readSettings(
    {
      server: words.get("portolan.server"),
      controlPort: words.get("portolan.port") ?? 402,
      siteKey: words.get("portolan.key"),
    },
    place,
  );
  return {
    environment: "preboot",
    ...settings,
    bootToken: words.get("portolan.boot") ?? null,
    stateDir: null,
  };
}

/** `/etc/portolan/agent.toml`: siteKey, server, controlPort. */
export function parseAgentFile(path: string, text: string): AgentConfig {
  const raw = parseToml(text);
  const known = ["server", "controlPort", "siteKey", "stateDir"];
  const unknown = Object.keys(raw).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new AgentConfigError(`${path}: the key ${unknown} is unknown; known are: ${known.join(", ")}`);
  }
  const stateDir = typeof raw["stateDir"] === "string" ? raw["stateDir"] : "/var/lib/portolan-agent";
  return { environment: "os", ...readSettings(raw, path), bootToken: null, stateDir };
}

/** @throws AgentConfigError */
export function loadAgentConfig(environment: Environment, path: string): AgentConfig {
  if (environment === "preboot") {
    return parseKernelCommandLine(readFileSync("/proc/cmdline", "utf8"));
  }
  try {
    return parseAgentFile(path, readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new AgentConfigError(`${path} does not exist; portolan agent install writes it`);
    }
    throw error;
  }
}
