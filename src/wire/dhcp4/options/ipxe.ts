import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { decodeSubOptions, encodeSubOptions } from "../sub-options.ts";

/** Codes inside option 175; 16-79 tell which features a build has. https://ipxe.org/howto/dhcpd */
export const ipxeSubOptionCodes = {
  priority: 1,
  keepSan: 8,
  skipSanBoot: 9,
  featurePxeExtensions: 16,
  featureIscsi: 17,
  featureAoe: 18,
  featureHttp: 19,
  featureHttps: 20,
  featureTftp: 21,
  featureFtp: 22,
  featureDns: 23,
  featureBzImage: 24,
  featureMultiboot: 25,
  featureSlam: 26,
  featureSrp: 27,
  featureNbi: 32,
  featurePxe: 33,
  featureElf: 34,
  featureComboot: 35,
  featureEfi: 36,
  featureFcoe: 37,
  featureVlan: 38,
  featureMenu: 39,
  featureSdi: 40,
  featureNfs: 41,
  scriptlet: 81,
  syslogServer: 85,
  trustedCertificate: 90,
  certificate: 91,
  privateKey: 92,
  crossCertificate: 93,
  noProxyDhcp: 176,
  busId: 177,
  biosDrive: 189,
  username: 190,
  password: 191,
  reverseUsername: 192,
  reversePassword: 193,
  version: 235,
} as const;

/** Option 175, iPXE's own; a computer that sends it runs iPXE (or gPXE). @throws WireError `option-past-end` */
export function ipxeOptions(options: DhcpOptions): readonly DhcpOption[] | undefined {
  const bytes = findOption(options, optionCodes.ipxe);
  return bytes === undefined ? undefined : decodeIpxeOptions(bytes);
}

/** @throws WireError `option-past-end` */
export function decodeIpxeOptions(bytes: Uint8Array): readonly DhcpOption[] {
  return decodeSubOptions(bytes, { field: "iPXE options", hasPadAndEnd: true });
}

/** Whether the running iPXE can do a thing, e.g. `hasIpxeFeature(ipxe, ipxeSubOptionCodes.featureHttp)`. */
export function hasIpxeFeature(subOptions: readonly DhcpOption[], featureCode: number): boolean {
  return findOption(subOptions, featureCode)?.some((byte) => byte !== 0) ?? false;
}

/** @throws WireError `too-long` */
export function ipxeOption(subOptions: readonly DhcpOption[]): DhcpOption {
  return { code: optionCodes.ipxe, bytes: encodeSubOptions(subOptions, "iPXE options") };
}

/** Tells iPXE not to wait for a ProxyDHCP answer: for a server that gives addresses itself. */
export const ipxeNoProxyDhcp: DhcpOption = { code: ipxeSubOptionCodes.noProxyDhcp, bytes: Uint8Array.of(1) };
