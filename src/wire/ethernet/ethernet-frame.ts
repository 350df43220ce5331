import { MacAddress } from "../address/mac-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";

/*
 * offset size field
 *      0    6 destination
 *      6    6 source
 *     12    4 802.1Q tag, when its first two bytes are 0x8100 or 0x88a8 (repeated for tags in tags)
 *     12    2 EtherType (after any tag)
 *     14    … payload, possibly with padding behind it
 */

export const etherTypes = {
  ipv4: 0x0800,
  arp: 0x0806,
  wakeOnLan: 0x0842,
  lldp: 0x88cc,
  vlan: 0x8100,
  serviceVlan: 0x88a8,
} as const;

export type EthernetFrame = {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  /** VLAN ids of the tags, outermost first; at most 2. */
  readonly vlanIds: readonly number[];
  readonly etherType: number;
  /** With the padding short frames have. */
  readonly payload: Uint8Array;
};

export const broadcastMacAddress = MacAddress.parse("ff:ff:ff:ff:ff:ff");

const tagsMax = 2;

/** Decodes an Ethernet II frame without its check sequence. @throws WireError `truncated` */
export function decodeEthernetFrame(bytes: Uint8Array): EthernetFrame {
  const reader = new ByteReader(bytes);
  const destination = MacAddress.fromBytes(reader.view(6, "destination"));
  const source = MacAddress.fromBytes(reader.view(6, "source"));
  const vlanIds: number[] = [];
  let etherType = reader.uint16("EtherType");
  while (
    (etherType === etherTypes.vlan || etherType === etherTypes.serviceVlan) &&
    vlanIds.length < tagsMax
  ) {
    vlanIds.push(reader.uint16("VLAN tag") & 0xfff);
    etherType = reader.uint16("EtherType");
  }
  return { destination, source, vlanIds, etherType, payload: reader.rest() };
}

/** Encodes a frame; its tags are written as 802.1Q. Padding to 60 bytes is left to the network card. */
export function encodeEthernetFrame(frame: EthernetFrame): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(14 + 4 * frame.vlanIds.length + frame.payload.byteLength);
  writer.put(MacAddress.toBytes(frame.destination)).put(MacAddress.toBytes(frame.source));
  for (const vlanId of frame.vlanIds) {
    writer.uint16(etherTypes.vlan).uint16(vlanId);
  }
  return writer.uint16(frame.etherType).put(frame.payload).finish();
}
