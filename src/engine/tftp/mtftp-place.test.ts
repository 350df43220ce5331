import assert from "node:assert/strict";
import { test } from "node:test";
import { computeFlows } from "#plan/flows.ts";
import { classicSettings } from "#plan/settings.ts";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { mtftpPlaceOf } from "./mtftp-place.ts";

const groups = ["239.1.1.1", "239.1.1.2"].map((group) => Ipv4Address.parse(group));

function flowsWith(isMulticast: boolean) {
  const settings = { ...classicSettings, "imaging.groups": groups, "tftp.multicast": isMulticast };
  return computeFlows(settings, { consolePort: 8443 });
}

test("MTFTP: each boot program has a group of its own, and what none is left for is read by TFTP", () => {
  const place = (name: string) => mtftpPlaceOf(name, flowsWith(true));
  assert.deepEqual(place("undionly.kpxe"), { group: "239.1.1.1", clientPort: 1758, serverPort: 1759 });
  assert.equal(place("snponly.efi")?.group, "239.1.1.2");
  assert.equal(place("shimx64.efi"), null, "two groups are two files");
  assert.equal(place("vmlinuz"), null, "firmware does not read the kernel");
  assert.equal(mtftpPlaceOf("undionly.kpxe", flowsWith(false)), null, "the plan sends nothing by multicast");
});
