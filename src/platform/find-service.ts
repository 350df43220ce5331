import { Resolver } from "node:dns/promises";
import { existsSync, readFileSync } from "node:fs";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";

export type ServicePlace = { readonly address: Ipv4Address; readonly port: number };

const searchDomainCountMax = 6;
const timeoutMs = 2000;

/** Domains in which this computer looks for short names. resolv.conf(5) */
export function listSearchDomains(path = "/etc/resolv.conf"): string[] {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const lines = [...text.matchAll(/^(?:search|domain)\s+(.*)$/gm)].map(([, words = ""]) => words);
  return (lines.at(-1) ?? "")
    .split(/\s+/)
    .filter((domain) => /^[a-zA-Z0-9.-]+$/.test(domain) && domain !== ".")
    .slice(0, searchDomainCountMax);
}

/**
 * Where DNS says a service is, lowest priority first (RFC 2782), in the first domain that knows it; `null` when none
 * does. The system's name servers are asked; what they say is believed as little as any other answer.
 */
export async function findService(service: string, domains: readonly string[]): Promise<ServicePlace | null> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  for (const domain of domains) {
    try {
      const records = await resolver.resolveSrv(`${service}.${domain}`);
      const best = records.toSorted((left, right) => left.priority - right.priority)[0];
      const address = best === undefined ? undefined : (await resolver.resolve4(best.name))[0];
      if (best !== undefined && address !== undefined) {
        return { address: Ipv4Address.parse(address), port: best.port };
      }
    } catch (error) {
      // Not there, or nobody to ask: the next domain may know it.
      if (!(error instanceof Error && "syscall" in error)) {
        throw error;
      }
    }
  }
  return null;
}
