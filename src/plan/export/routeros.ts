import { Ipv4Subnet } from "#wire/address/ipv4-address.ts";
import { type BoundaryRule, isDhcpRule } from "./boundary-rules.ts";
import { spanText } from "./port-spans.ts";
import {
  helperAddresses,
  needsRelay,
  placeholderSentences,
  rendezvousPointOf,
  segmentInterfaceOf,
  serverInterfaceOf,
} from "./device-names.ts";
import { type DeviceNeed, withoutComments } from "./device-lines.ts";
import type { Exporter, ExportInput } from "./exporter.ts";
import {
  commentLines,
  destinationsOf,
  groupsOf,
  headerSentences,
  identifier,
  ruleLabel,
  sentence,
  subnetText,
  toText,
} from "./rule-text.ts";

/** Every line of ours carries this, so that they can be found and removed again. */
function tag(input: ExportInput): string {
  return identifier(input, "-", 60);
}

function portList(ports: BoundaryRule["destinationPorts"]): string {
  return ports.map((span) => spanText(span)).join(",");
}

function renderLine(rule: BoundaryRule, input: ExportInput): string[] {
  return destinationsOf(rule).map((destination) =>
    [
      `add chain=${tag(input)} action=accept protocol=${rule.transport}`,
      rule.source === null ? "" : `src-address=${subnetText(rule.source)}`,
      destination === null ? "" : `dst-address=${subnetText(destination)}`,
      rule.sourcePorts === null ? "" : `src-port=${portList(rule.sourcePorts)}`,
      `dst-port=${portList(rule.destinationPorts)} comment="${tag(input)} ${ruleLabel(rule, 120)}"`,
    ]
      .filter((word) => word !== "")
      .join(" "),
  );
}

function removeLines(input: ExportInput): string[] {
  const found = `[find comment~"^${tag(input)} "]`;
  return [
    `/ip firewall filter remove ${found}`,
    `/ip dhcp-relay remove [find name="${tag(input)}"]`,
    `/routing pimsm static-rp remove ${found}`,
  ];
}

function jumpLine(input: ExportInput, chain: string): string {
  const jump = `chain=${chain} action=jump jump-target=${tag(input)} comment="${tag(input)} rules of this pair"`;
  return (
    `:if ([:len [/ip firewall filter find chain=${chain}]] > 0) ` +
    `do={ /ip firewall filter add ${jump} place-before=[:pick [/ip firewall filter find chain=${chain}] 0] } ` +
    `else={ /ip firewall filter add ${jump} }`
  );
}

function filterLines(input: ExportInput): string[] {
  const { rules, serverAddress, segment } = input;
  const subnet = Ipv4Subnet.format(segment.cidr);
  const name = tag(input);
  const answers = ["src-address", "dst-address"].map(
    (side) =>
      `add chain=${name} action=accept connection-state=established,related ${side}=${serverAddress} comment="${name} the other half of allowed conversations"`,
  );
  const withReasons = (some: readonly BoundaryRule[]): string[] =>
    some.flatMap((rule) => [`# ${sentence(rule.reason)}`, ...renderLine(rule, input)]);
  return [
    "/ip firewall filter",
    ...withReasons(rules.filter(isDhcpRule)),
    `add chain=${name} action=return protocol=udp src-port=67 dst-port=67 comment="${name} DHCP through relays is not tracked"`,
    ...answers,
    ...withReasons(rules.filter((rule) => !isDhcpRule(rule))),
    "# Nothing else passes between this segment and this server.",
    `add chain=${name} action=drop src-address=${subnet} dst-address=${serverAddress} comment="${name} closed towards the server"`,
    `add chain=${name} action=drop src-address=${serverAddress} dst-address=${subnet} comment="${name} closed towards the segment"`,
    "/",
    jumpLine(input, "forward"),
  ];
}

function relayLines(input: ExportInput): string[] {
  const { segment } = input;
  if (!needsRelay(input)) {
    return [];
  }
  const local = segment.relayAddress ?? segment.gatewayAddress;
  return [
    "# Boot requests are broadcasts: the router passes them on to the DHCP server and to us.",
    `/ip dhcp-relay add name=${tag(input)} interface=${segmentInterfaceOf(input)} dhcp-server=${helperAddresses(input).join(",")}${local === null ? "" : ` local-address=${local}`} disabled=no`,
  ];
}

function multicastLines(input: ExportInput): string[] {
  if (input.groups.length === 0) {
    return [];
  }
  if (groupsOf(input.rules).length === 0) {
    return ["# Multicast stays in its segment: no PIM here, so imaging across this router is by unicast."];
  }
  return [
    "# Multicast is routed by a PIM instance; leave static-rp out where the site has a rendezvous point.",
    ':if ([:len [/routing pimsm instance find name="portolan"]] = 0) do={ /routing pimsm instance add name=portolan }',
    ...[segmentInterfaceOf(input), serverInterfaceOf(input)].map(
      (name) =>
        `:if ([:len [/routing pimsm interface-template find interfaces=${name}]] = 0) do={ /routing pimsm interface-template add instance=portolan interfaces=${name} }`,
    ),
    ...input.groups.map(
      (group) =>
        `/routing pimsm static-rp add instance=portolan address=${rendezvousPointOf(input)} group=${group}/32 comment="${tag(input)} groups of the plan"`,
    ),
  ];
}

function render(input: ExportInput): string {
  return toText([
    ...commentLines("#", [
      ...headerSentences(input),
      ...placeholderSentences(input),
      `Load with: /import file-name=${tag(input)}.rsc`,
    ]),
    "# What an earlier load has left is replaced.",
    ...removeLines(input),
    ...filterLines(input),
    ...relayLines(input),
    ...multicastLines(input),
    "# Ports of computers forward at once: boot firmware does not wait for spanning tree. Snooping needs a querier.",
    "/interface bridge port set [find interface=EDGE-PORTS] edge=yes bpdu-guard=yes",
    "/interface bridge set [find] igmp-snooping=yes multicast-querier=yes",
  ]);
}

function renderRollback(input: ExportInput): string {
  return toText([
    `# Takes back Portolan's lines for segment ${sentence(input.segment.name)}. Bridge settings and PIM stay: others may use them.`,
    ...removeLines(input),
  ]);
}

function renderNeed(need: DeviceNeed, input: ExportInput): string[] {
  switch (need) {
    case "dhcp-relay":
      return withoutComments(relayLines(input), "#");
    case "multicast-routing":
      return withoutComments(multicastLines(input), "#");
    case "querier":
      return ["/interface bridge set [find] igmp-snooping=yes multicast-querier=yes"];
  }
}

export const routeros: Exporter = {
  title: "MikroTik RouterOS 7, on the router of the segment",
  device: "router",
  fileExtension: "rsc",
  renderLine,
  renderNeed,
  render,
  renderRollback,
};
