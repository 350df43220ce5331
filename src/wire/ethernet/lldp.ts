import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { WireError } from "../bytes/wire-error.ts";
import { toSafeText } from "../control/json-fields.ts";
import type { LinkNeighbour } from "../control/network-card.ts";

/*
 * A payload of EtherType 0x88cc is a list of TLVs: 7 bits type, 9 bits size, value. Chassis, port and time to live come
 * first, in this order; type 0 ends it.
 */
const tlv = { end: 0, chassis: 1, port: 2, timeToLive: 3, portDescription: 4, systemName: 5, own: 127 };
/** IEEE 802.1: subtype 1 is the VLAN of untagged frames. */
const vlanMark = [0x00, 0x80, 0xc2, 0x01];
const textMax = 128;

export type LldpMessage = {
  readonly neighbour: LinkNeighbour;
  /** How long it counts. 0: the port says good-bye. */
  readonly timeToLiveSeconds: number;
};

function toText(bytes: Uint8Array): string {
  return toSafeText(new TextDecoder().decode(bytes).replaceAll("\0", ""), textMax).trim();
}

/** An id by its subtype: the two numbers differ between chassis and port. */
function readId(value: Uint8Array, subtypes: { readonly mac: number; readonly address: number }): string {
  const [subtype] = value;
  const id = value.subarray(1);
  if (subtype === subtypes.mac && id.byteLength === 6) {
    return MacAddress.fromBytes(id);
  }
  // Its first byte is the family, 1 for IPv4.
  if (subtype === subtypes.address && id.byteLength === 5 && id[0] === 1) {
    return Ipv4Address.fromBytes(id.subarray(1));
  }
  return toText(id);
}

/**
 * What a switch says of the port a card is plugged into. Parts that are not known are passed over.
 *
 * @param payload of a frame with EtherType 0x88cc
 * @throws WireError `truncated`; `bad-value` when it does not begin with chassis, port and time to live
 * @see IEEE 802.1AB-2016 §8
 */
export function decodeLldp(payload: Uint8Array): LldpMessage {
  const reader = new ByteReader(payload);
  const values = new Map<number, Uint8Array>();
  const types: number[] = [];
  let vlanId: number | null = null;
  for (let hasMore = true; hasMore && reader.remainingBytes > 0;) {
    const head = reader.uint16("TLV");
    const [type, sizeBytes] = [head >> 9, head & 0x1ff];
    const value = reader.view(sizeBytes, "TLV value");
    types.push(type);
    hasMore = type !== tlv.end;
    if (
      type === tlv.own &&
      value.byteLength === 6 &&
      vlanMark.every((byte, index) => value[index] === byte)
    ) {
      const id = new ByteReader(value.subarray(4)).uint16("VLAN");
      // 0: the port has none.
      vlanId = id > 0 && id < 4095 ? id : null;
    } else if (type !== tlv.own && !values.has(type)) {
      values.set(type, value);
    }
  }
  if (types[0] !== tlv.chassis || types[1] !== tlv.port || types[2] !== tlv.timeToLive) {
    throw new WireError({
      code: "bad-value",
      field: "TLV",
      offset: 0,
      detail: "chassis, port, time to live",
    });
  }
  const take = (type: number): Uint8Array => values.get(type) ?? new Uint8Array();
  const textOrNull = (type: number): string | null => toText(take(type)) || null;
  return {
    neighbour: {
      systemName: textOrNull(tlv.systemName),
      chassisId: readId(take(tlv.chassis), { mac: 4, address: 5 }),
      portId: readId(take(tlv.port), { mac: 3, address: 4 }),
      portDescription: textOrNull(tlv.portDescription),
      vlanId,
    },
    timeToLiveSeconds: new ByteReader(take(tlv.timeToLive)).uint16("time to live"),
  };
}
