import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../bytes/wire-error.ts";
import { decodeLldp } from "./lldp.ts";

function tlv(type: number, ...value: readonly number[]): number[] {
  return [(type << 1) | (value.length >> 8), value.length & 0xff, ...value];
}

function text(words: string): number[] {
  return [...new TextEncoder().encode(words)];
}

const chassis = tlv(1, 4, 0x00, 0x1b, 0x54, 0x0a, 0x0b, 0x0c);
const port = tlv(2, 5, ...text("GigabitEthernet1/0/7"));
const timeToLive = tlv(3, 0x00, 0x78);
const whole = [
  ...[...chassis, ...port, ...timeToLive, ...tlv(4, ...text("Room 12, left")), ...tlv(5, ...text("sw-7"))],
  ...[
    ...tlv(127, 0x00, 0x12, 0x0f, 1, 3, 0x6c, 0x11, 0x00, 0x1e),
    ...tlv(127, 0x00, 0x80, 0xc2, 1, 0x00, 0x0a),
  ],
  ...tlv(0),
];

test("LLDP: a switch says its name, the port and its VLAN; padding and what others define is passed over", () => {
  assert.deepEqual(decodeLldp(Uint8Array.from([...whole, 0, 0, 0, 0xff])), {
    neighbour: {
      systemName: "sw-7",
      chassisId: "00:1b:54:0a:0b:0c",
      portId: "GigabitEthernet1/0/7",
      portDescription: "Room 12, left",
      vlanId: 10,
    },
    timeToLiveSeconds: 120,
  });
});

test("LLDP: the least a port must say is enough, and an address of a port is shown as one", () => {
  const shown = decodeLldp(
    Uint8Array.from([
      ...tlv(1, 5, 1, 10, 0, 0, 1),
      ...tlv(2, 3, 2, 0, 0, 0, 0, 9),
      ...tlv(3, 0, 0),
      ...tlv(0),
    ]),
  );
  assert.deepEqual(
    [shown.neighbour.chassisId, shown.neighbour.portId, shown.neighbour.systemName, shown.neighbour.vlanId],
    ["10.0.0.1", "02:00:00:00:00:09", null, null],
  );
  assert.equal(shown.timeToLiveSeconds, 0);
});

test("LLDP: short and disordered messages are refused, control characters reach nobody's terminal", () => {
  const leastBytes = chassis.length + port.length + timeToLive.length;
  for (let sizeBytes = 0; sizeBytes < leastBytes; sizeBytes += 1) {
    assert.throws(
      () => decodeLldp(Uint8Array.from(whole.slice(0, sizeBytes))),
      WireError,
      `${sizeBytes} bytes`,
    );
  }
  assert.throws(() => decodeLldp(Uint8Array.from([...port, ...chassis, ...timeToLive])), WireError);
  const hostile = Uint8Array.from([...chassis, ...port, ...timeToLive, ...tlv(5, ...text("sw\u001b[2J"))]);
  assert.equal(decodeLldp(hostile).neighbour.systemName, String.raw`sw\u{1b}[2J`);
});
