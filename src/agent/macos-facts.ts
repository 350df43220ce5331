import { MacAddress } from "#wire/address/mac-address.ts";
import type { CardFacts, SystemFacts } from "./system-facts.ts";

/** What `ioreg`, `networksetup` and `sw_vers` print. Disks are not asked for: no Mac is imaged. */
export function parseMacosFacts(given: {
  readonly platform: string;
  readonly ports: string;
  readonly version: string;
}): SystemFacts {
  const { platform, ports, version } = given;
  const find = (pattern: RegExp): string | null => pattern.exec(platform)?.[1]?.slice(0, 128) ?? null;
  const cards = ports.split(/\n\s*\n/).flatMap((block): CardFacts[] => {
    const port = /^Hardware Port: (.*)$/m.exec(block)?.[1] ?? "";
    // en0 and its like; a bridge borrows the address of what it bridges.
    const name = /^Device: (en[0-9]+)$/m.exec(block)?.[1];
    const mac = /^Ethernet Address: ([0-9a-f]{2}(?::[0-9a-f]{2}){5})$/im.exec(block)?.[1]?.toLowerCase();
    if (name === undefined || mac === undefined) {
      return [];
    }
    const isWired = !/wi-?fi|airport/i.test(port);
    return [{ name, mac: MacAddress.parse(mac), isWired, isUp: false, speedMbps: null, driver: null }];
  });
  const model = find(/"model" = <"([^"]+)">/);
  return {
    uuid: find(/"IOPlatformUUID" = "([^"]+)"/)?.toLowerCase() ?? null,
    serial: find(/"IOPlatformSerialNumber" = "([^"]+)"/),
    product: model === null ? null : `Apple ${model}`,
    operatingSystem: version.trim() === "" ? null : `macOS ${version.trim()}`,
    firmware: "uefi",
    isSecureBoot: false,
    cards,
    disks: [],
  };
}
