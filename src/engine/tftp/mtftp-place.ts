import { bootFileNames } from "../boot/boot-program.ts";
import type { Flow } from "#plan/flow.ts";
import { findFlow } from "#plan/flows.ts";
import { fixedPorts } from "#plan/socket-grant.ts";
import type { Ipv4Address } from "#wire/address/ipv4-address.ts";

/** Where one file is sent by MTFTP. The offer names it, so it is the same for every client and never negotiated. */
export type MtftpPlace = {
  readonly group: Ipv4Address;
  /** Where clients listen, and where they ask from. */
  readonly clientPort: number;
  /** Where the server takes their requests. */
  readonly serverPort: number;
};

/** In the order in which they get a group: what most rooms boot first. */
const fileNames: readonly string[] = [bootFileNames.biosIpxe, bootFileNames.uefiIpxe, bootFileNames.shim];

/**
 * The group of a file: each boot program has one of its own, as an MTFTP client cannot tell two files apart.
 *
 * @returns `null` for other files, for programs that no group is left for, and where the plan sends nothing by multicast:
 *   those are read by TFTP
 * @see PXE 2.1 §2.2 (vendor options 1 to 5)
 */
export function mtftpPlaceOf(fileName: string, flows: readonly Flow[]): MtftpPlace | null {
  const data = findFlow(flows, "boot.tftp-multicast");
  const index = fileNames.indexOf(fileName);
  const group = index === -1 || data.state === "off" ? undefined : data.groups[index];
  const [clientPort] = fixedPorts(data);
  const [serverPort] = fixedPorts(findFlow(flows, "boot.mtftp"));
  return group === undefined || clientPort === undefined || serverPort === undefined
    ? null
    : { group, clientPort, serverPort };
}
