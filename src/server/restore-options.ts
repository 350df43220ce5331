import type { RestoreRequest } from "#engine/job/job.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { exactRestore, type RestoreOptions } from "#wire/control/image-task-message.ts";

/** What a computer's host name can be made of. */
export type NamedComputer = {
  readonly id: string;
  readonly name: string;
  readonly serial: string | null;
  readonly macs: readonly string[];
};

/** Letters, digits and hyphens, at most 63. RFC 1123 §2.1 */
export function toHostName(pattern: string, computer: NamedComputer): string {
  const values: Readonly<Record<string, string>> = {
    name: computer.name,
    serial: computer.serial ?? computer.id,
    mac: computer.macs[0]?.replaceAll(":", "") ?? computer.id,
  };
  const filled = pattern.replaceAll(/\{(name|serial|mac)\}/g, (_all, key: string) => values[key] ?? "");
  const label = filled.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-");
  return label.slice(0, 63).replaceAll(/^-+|-+$/g, "") || "computer";
}

/** What one computer of a job is to do with the image. Without a request: exactly the image. */
export function resolveRestoreOptions(
  request: RestoreRequest | undefined,
  computer: NamedComputer,
): RestoreOptions {
  if (request === undefined) {
    return exactRestore;
  }
  const { resize, hasNewIds, hasBootEntry, identity } = request;
  const given = identity?.addresses[computer.id] ?? identity?.addresses[computer.name] ?? null;
  return {
    resize,
    hasNewIds,
    hasBootEntry,
    identity:
      identity === null
        ? null
        : {
            hostName: identity.hostName === null ? null : toHostName(identity.hostName, computer),
            address:
              given === null
                ? null
                : {
                    address: Ipv4Address.parse(given.address),
                    prefixLength: given.prefixLength,
                    gateway: given.gateway === null ? null : Ipv4Address.parse(given.gateway),
                    nameServers: given.nameServers.map((text) => Ipv4Address.parse(text)),
                  },
            unattend: identity.unattend,
          },
  };
}
