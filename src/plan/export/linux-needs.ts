import type { DeviceNeed } from "./device-lines.ts";
import { withoutComments } from "./device-lines.ts";
import { helperAddresses, segmentInterfaceOf, serverInterfaceOf } from "./device-names.ts";
import type { ExportInput } from "./exporter.ts";
import { frr } from "./frr.ts";

/** What a Linux router lacks beside rules of its filter: programs and the bridge have it. */
export function linuxNeed(need: DeviceNeed, input: ExportInput): string[] {
  const downstream = segmentInterfaceOf(input);
  switch (need) {
    case "dhcp-relay":
      return [
        `dhcrelay -4 -id ${downstream} -iu ${serverInterfaceOf(input)} ${helperAddresses(input).join(" ")}`,
      ];
    case "querier":
      return ["ip link set dev BRIDGE-OF-THE-SEGMENT type bridge mcast_querier 1"];
    case "multicast-routing":
      return withoutComments(frr.render(input).trimEnd().split("\n"), "!");
  }
}
