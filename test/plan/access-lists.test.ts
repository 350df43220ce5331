import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BoundaryRule } from "#plan/export/boundary-rules.ts";
import { exporters, exportInputOf } from "#plan/export/exporters.ts";
import { farRequest } from "#tools/export-examples.ts";
import { type FilteredPacket, isPermitted, readAccessList } from "./read-access-list.ts";

const computer = "192.168.20.77";
const server = "192.168.10.1";

/** A packet that the rule is for. */
function packetFor(rule: BoundaryRule): FilteredPacket {
  const isToServer = rule.direction === "to-server";
  const anySource = rule.flowId === "boot.dhcp" ? "10.255.0.1" : computer;
  return {
    protocol: rule.transport,
    source: isToServer ? anySource : server,
    sourcePort: rule.sourcePorts?.[0]?.from ?? 50_001,
    destination:
      rule.groups[0] ??
      (isToServer ? server : rule.destination?.prefixLength === 32 ? rule.destination.address : computer),
    destinationPort: rule.destinationPorts.at(-1)?.to ?? 0,
    isEstablished: false,
  };
}

function answerTo(packet: FilteredPacket): FilteredPacket {
  return {
    ...packet,
    source: packet.destination,
    sourcePort: packet.destinationPort,
    destination: packet.source,
    destinationPort: packet.sourcePort,
    isEstablished: true,
  };
}

describe("access lists, read back and asked about packets", () => {
  for (const format of ["cisco-ios", "cisco-nxos", "arista-eos"] as const) {
    for (const profile of ["classic", "firewall"] as const) {
      test(`${format}, ${profile}: every planned packet and its answer pass, and nothing else of the pair does`, () => {
        const input = exportInputOf(farRequest(profile));
        const config = exporters[format].render(input);
        const lists = {
          "to-server": readAccessList(config, "PORTOLAN-FAR-IN"),
          "to-segment": readAccessList(config, "PORTOLAN-FAR-OUT"),
        };
        assert.ok(lists["to-server"].length > 8 && lists["to-segment"].length > 6);
        for (const rule of input.rules) {
          const packet = packetFor(rule);
          const back = rule.direction === "to-server" ? "to-segment" : "to-server";
          assert.ok(isPermitted(lists[rule.direction], packet), `${rule.id}: ${JSON.stringify(packet)}`);
          if (rule.isAnswered) {
            assert.ok(isPermitted(lists[back], answerTo(packet)), `${rule.id}, its answer`);
          }
        }
        const closed = (destinationPort: number): FilteredPacket => ({
          ...{ protocol: "tcp", source: computer, sourcePort: 50_001, destination: server },
          ...{ destinationPort, isEstablished: false },
        });
        for (const port of [22, 5432, 8443]) {
          assert.ok(!isPermitted(lists["to-server"], closed(port)), `TCP ${port} is open`);
        }
        // A connection from the server into the segment is not an answer.
        assert.ok(
          !isPermitted(lists["to-segment"], {
            ...{ protocol: "tcp", source: server, sourcePort: 402, destination: computer },
            ...{ destinationPort: 22, isEstablished: false },
          }),
        );
        // Other traffic of the segment is not this list's matter.
        assert.ok(isPermitted(lists["to-server"], { ...closed(443), destination: "10.9.9.9" }));
        assert.ok(
          isPermitted(lists["to-server"], { ...closed(0), protocol: "igmp", destination: "224.0.0.22" }),
        );
      });
    }
  }
});
