import assert from "node:assert/strict";
import { test } from "node:test";
import { type ExportFormat, exporters, exportInputOf } from "#plan/export/exporters.ts";
import { computeFlows } from "#plan/flows.ts";
import type { Segment } from "#plan/segment.ts";
import { classicSettings } from "#plan/settings.ts";
import { Ipv4Address, Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { createRemedyBook } from "./remedy-book.ts";

const ip = (text: string): Ipv4Address => Ipv4Address.parse(text);
const segment: Segment = {
  ...{ name: "far", cidr: Ipv4Subnet.of(ip("10.2.0.0"), 24), intent: "imaging", interfaceName: null },
  ...{ serverAddress: ip("10.1.0.1"), gatewayAddress: ip("10.2.0.254"), relayAddress: null },
  origin: "operator",
};
const given = {
  ...{ segment, serverName: "ds1", profile: "classic" },
  flows: computeFlows(classicSettings, { consolePort: 8443 }),
};

/** The lines of a remedy; its first names the place. */
function linesOf(text: string): string[] {
  return text.split("\n").slice(1);
}

for (const [format, relay, multicast, querier] of [
  ["cisco-ios", / ip helper-address 10\.1\.0\.1/, /ip pim sparse-mode/, /^ip igmp snooping querier$/m],
  [
    "cisco-nxos",
    / ip dhcp relay address 10\.1\.0\.1/,
    /feature pim/,
    /ip igmp snooping querier 10\.2\.0\.254/,
  ],
  ["arista-eos", / ip helper-address 10\.1\.0\.1/, /pim ipv4 sparse-mode/, /querier address 10\.2\.0\.254/],
  ["junos", /10\.1\.0\.1;/, /mode sparse;/, /l2-querier/],
  ["routeros", /dhcp-server=10\.1\.0\.1/, /\/routing pimsm/, /multicast-querier=yes/],
  ["pfsense", /DHCP Relay: .*10\.1\.0\.1/, /IGMP Proxy: .* downstream/, /IGMP Proxy: .* downstream/],
  ["opnsense", /DHCRelay: .*10\.1\.0\.1/, /os-igmp-proxy/, /os-igmp-proxy/],
] as const) {
  test(`remedies: relay, querier and multicast routing are the lines of ${format}, as it is exported`, () => {
    const book = createRemedyBook({ ...given, format });
    const exported = exporters[format].render(exportInputOf(given));
    assert.match(book.forDevice("dhcp-relay"), relay);
    assert.match(book.forDevice("multicast-routing"), multicast);
    assert.match(book.forDevice("querier"), querier);
    for (const need of ["dhcp-relay", "multicast-routing"] as const) {
      const lines = linesOf(book.forDevice(need)).filter((line) => !line.startsWith("or keep imaging"));
      assert.ok(lines.length > 0);
      for (const line of lines) {
        assert.ok(exported.includes(line.trim()), `${need}: ${line}`);
      }
    }
  });
}

test("remedies: a Linux router is told of dhcrelay, its bridge and FRRouting, never of another maker's words", () => {
  const book = createRemedyBook({ ...given, format: "nftables" });
  assert.match(book.forDevice("dhcp-relay"), /dhcrelay -4 -id SEGMENT-INTERFACE .* 10\.1\.0\.1/);
  assert.match(book.forDevice("querier"), /mcast_querier 1/);
  assert.match(book.forDevice("multicast-routing"), /^ ip pim$/m);
  assert.doesNotMatch(book.forDevice("dhcp-relay"), /helper-address/);
});

test("remedies: the lines of an access list name the list and the direction it stands in", () => {
  const formats: readonly (readonly [ExportFormat, RegExp])[] = [
    ["cisco-ios", /PORTOLAN-FAR-IN, applied in .*\npermit udp .* host 10\.1\.0\.1 eq 69/],
    ["cisco-nxos", /PORTOLAN-FAR-IN, applied in .*\npermit udp 10\.2\.0\.0\/24 .* eq 69/],
    ["arista-eos", /PORTOLAN-FAR-IN, applied in .*\npermit udp 10\.2\.0\.0\/24 .* eq 69/],
    ["junos", /filter PORTOLAN-FAR-IN, input on [^]*destination-port 69;/],
    [
      "opnsense",
      /Rules, SEGMENT-INTERFACE: above the rule that blocks[^]*<port>69<\/port>[^]*boot\.tftp\/to-server/,
    ],
    [
      "pfsense",
      /Rules, SEGMENT-INTERFACE: above the rule that blocks[^]*<port>69<\/port>[^]*boot\.tftp\/to-server/,
    ],
  ];
  for (const [format, wanted] of formats) {
    const remedy = createRemedyBook({ ...given, format }).forFlow("boot.tftp", "to-server");
    assert.match(remedy ?? "", wanted, format);
  }
  const answers = createRemedyBook({ ...given, format: "cisco-ios" }).forFlow("boot.tftp-data", "to-segment");
  assert.match(answers ?? "", /PORTOLAN-FAR-OUT, applied out/);
});

/** The lines of an export, in whatever comment or indentation. */
function assertExported(format: ExportFormat, remedy: string, from = 1): void {
  const exported = exporters[format].render(exportInputOf(given));
  const lines = remedy
    .split("\n")
    .slice(from)
    .filter((line) => !/^(?:#|\/\/|or keep)/.test(line));
  assert.ok(lines.length > 0, remedy);
  for (const line of lines) {
    assert.ok(exported.includes(line.trim()), `${format}: ${line}`);
  }
}

test("remedies: Windows computers are told where to write the rule of their export, and what they cannot filter is told as a router's", () => {
  const book = createRemedyBook({ ...given, format: "windows-firewall" });
  const control = book.forFlow("agent.control", "to-server") ?? "";
  assert.match(control, /^# on Windows computers of far, as administrator/);
  assertExported("windows-firewall", control);
  const boot = book.forFlow("boot.tftp", "to-server") ?? "";
  assert.match(boot, /^Windows firewall .* has no line for this, so it is a filter elsewhere/);
  assert.match(boot, /\nip saddr 10\.2\.0\.0\/24 ip daddr 10\.1\.0\.1 udp dport 69 /);
  assert.match(book.forDevice("dhcp-relay"), /here as on Linux[^]*dhcrelay -4 .*10\.1\.0\.1/);
});

for (const [format, place, range] of [
  [
    "isc-dhcp",
    /^# dhcpd\.conf/,
    /subnet 10\.2\.0\.0 netmask 255\.255\.255\.0 \{\n  range FIRST-ADDRESS LAST-ADDRESS;/,
  ],
  ["kea", /^\/\/ kea-dhcp4\.conf, in "client-classes"/, /"subnet": "10\.2\.0\.0\/24", "pools"/],
  [
    "dnsmasq",
    /^# a file in \/etc\/dnsmasq\.d/,
    /dhcp-range=set:portolan-far,FIRST-ADDRESS,LAST-ADDRESS,255\.255\.255\.0/,
  ],
  [
    "windows-dhcp",
    /policies of scope 10\.2\.0\.0/,
    /Add-DhcpServerv4Scope -Name 'far' .*-SubnetMask 255\.255\.255\.0/,
  ],
] as const) {
  test(`remedies: ${format} is told what stands in for our offer, as it is exported, and the range that is missing`, () => {
    const book = createRemedyBook({ ...given, format });
    const offer = book.forFlow("boot.dhcp", "to-server") ?? "";
    assert.match(offer, place);
    assertExported(format, offer);
    assert.match(
      book.forFlow("boot.tftp", "to-server") ?? "",
      /has no line for this, so it is a filter elsewhere/,
    );
    assert.match(book.forDevice("dhcp-server"), range);
    assert.match(book.forDevice("dhcp-server"), /dhcrelay -4 .*ADDRESS-OF-THE-DHCP-SERVER/);
  });
}

test("remedies: a router is told to relay to the DHCP server in its own words", () => {
  const relays: readonly (readonly [ExportFormat, RegExp])[] = [
    ["cisco-ios", / ip helper-address ADDRESS-OF-THE-DHCP-SERVER/],
    ["cisco-nxos", / ip dhcp relay address ADDRESS-OF-THE-DHCP-SERVER/],
    ["routeros", /dhcp-server=ADDRESS-OF-THE-DHCP-SERVER/],
    ["pfsense", /destination servers ADDRESS-OF-THE-DHCP-SERVER/],
  ];
  for (const [format, wanted] of relays) {
    const remedy = createRemedyBook({ ...given, format }).forDevice("dhcp-server");
    assert.match(remedy, wanted, format);
    assert.match(remedy, /^give the site's DHCP server a range in 10\.2\.0\.0\/24$/m);
  }
});
