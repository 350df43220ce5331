import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * offset size field
 *      0    2 hardware type, 1
 *      2    2 protocol type, 0x0800
 *      4    1 hardware size, 6
 *      5    1 protocol size, 4
 *      6    2 operation: 1 request, 2 reply
 *      8    6 sender MAC     14 4 sender address
 *     18    6 target MAC     24 4 target address
 */

export type ArpPacket = {
  readonly operation: "request" | "reply";
  readonly senderMac: MacAddress;
  readonly senderAddress: Ipv4Address;
  /** All zero in a request. */
  readonly targetMac: MacAddress;
  readonly targetAddress: Ipv4Address;
};

/**
 * Decodes ARP for IPv4 over Ethernet; bytes after it are padding.
 *
 * @throws WireError `truncated` | `bad-value`
 * @see RFC 826
 */
export function decodeArpPacket(bytes: Uint8Array): ArpPacket {
  const reader = new ByteReader(bytes);
  const expect = (field: string, value: number, wanted: number): void => {
    if (value !== wanted) {
      throw new WireError({ code: "bad-value", field, offset: reader.offset, detail: String(value) });
    }
  };
  expect("hardware type", reader.uint16("hardware type"), 1);
  expect("protocol type", reader.uint16("protocol type"), 0x0800);
  expect("hardware size", reader.uint8("hardware size"), 6);
  expect("protocol size", reader.uint8("protocol size"), 4);
  const operation = reader.uint16("operation");
  if (operation !== 1 && operation !== 2) {
    throw new WireError({ code: "bad-value", field: "operation", offset: 6, detail: String(operation) });
  }
  return {
    operation: operation === 1 ? "request" : "reply",
    senderMac: MacAddress.fromBytes(reader.view(6, "sender MAC")),
    senderAddress: Ipv4Address.fromBytes(reader.view(4, "sender address")),
    targetMac: MacAddress.fromBytes(reader.view(6, "target MAC")),
    targetAddress: Ipv4Address.fromBytes(reader.view(4, "target address")),
  };
}

export function encodeArpPacket(packet: ArpPacket): Uint8Array<ArrayBuffer> {
  return new ByteWriter(28)
    .uint16(1)
    .uint16(0x0800)
    .uint8(6)
    .uint8(4)
    .uint16(packet.operation === "request" ? 1 : 2)
    .put(MacAddress.toBytes(packet.senderMac))
    .put(Ipv4Address.toBytes(packet.senderAddress))
    .put(MacAddress.toBytes(packet.targetMac))
    .put(Ipv4Address.toBytes(packet.targetAddress))
    .finish();
}
