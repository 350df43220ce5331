import assert from "node:assert/strict";
import { test } from "node:test";
import { Ipv4Address } from "#wire/address/ipv4-address.ts";
import { mtftpPlaceOf } from "./mtftp-place.ts";

const groups = ["239.1.1.1", "239.1.1.2"].map((group) => Ipv4Address.parse(group));

test("MTFTP: each boot program has a group of its own, and what none is left for is read by TFTP", () => {
  const place = (name: string) => mtftpPlaceOf(name, groups, [1758, 1759]);
  assert.deepEqual(place("undionly.kpxe"), { group: "239.1.1.1", clientPort: 1758, serverPort: 1759 });
  assert.equal(place("snponly.efi")?.group, "239.1.1.2");
  assert.equal(place("shimx64.efi"), null, "two groups are two files");
  assert.equal(place("vmlinuz"), null, "firmware does not read the kernel");
  assert.equal(mtftpPlaceOf("undionly.kpxe", groups, [1758]), null, "without a server port nobody can ask");
});
