import { MacAddress } from "../address/mac-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * The payload of a Wake-on-LAN datagram (any UDP port, or EtherType 0x0842):
 *      0   6 ff ff ff ff ff ff
 *      6  96 MAC address, 16 times
 *    102   0, 4 or 6 bytes of SecureOn password
 */

const copies = 16;
const bodyBytes = 6 + copies * MacAddress.sizeBytes;

export type MagicPacket = {
  readonly mac: MacAddress;
  /** 4 or 6 bytes, sent in clear: it keeps accidents away, not attackers. */
  readonly secureOnPassword?: Uint8Array;
};

/** @throws WireError `bad-length` for a password of another size than 4 or 6 bytes */
export function encodeMagicPacket(packet: MagicPacket): Uint8Array<ArrayBuffer> {
  const password = packet.secureOnPassword ?? new Uint8Array(0);
  if (![0, 4, 6].includes(password.byteLength)) {
    const sizes = { needBytes: 6, haveBytes: password.byteLength };
    throw new WireError({ code: "bad-length", field: "SecureOn password", offset: bodyBytes, ...sizes });
  }
  const writer = new ByteWriter(bodyBytes + password.byteLength).put(new Uint8Array(6).fill(0xff));
  for (let copy = 0; copy < copies; copy += 1) {
    writer.put(MacAddress.toBytes(packet.mac));
  }
  return writer.put(password).finish();
}

/**
 * Decodes a payload that is a magic packet and nothing else.
 *
 * @throws WireError `truncated` | `bad-magic` | `bad-value` (copies differ) | `bad-length` (of the password)
 */
export function decodeMagicPacket(bytes: Uint8Array): MagicPacket {
  const reader = new ByteReader(bytes);
  if (reader.view(6, "synchronisation bytes").some((byte) => byte !== 0xff)) {
    throw new WireError({ code: "bad-magic", field: "synchronisation bytes", offset: 0 });
  }
  const mac = MacAddress.fromBytes(reader.view(MacAddress.sizeBytes, "MAC address"));
  for (let copy = 1; copy < copies; copy += 1) {
    const { offset } = reader;
    if (MacAddress.fromBytes(reader.view(MacAddress.sizeBytes, "MAC address")) !== mac) {
      throw new WireError({ code: "bad-value", field: "MAC address", offset, detail: `copy ${copy + 1}` });
    }
  }
  const password = reader.rest();
  if (![0, 4, 6].includes(password.byteLength)) {
    const sizes = { needBytes: 6, haveBytes: password.byteLength };
    throw new WireError({ code: "bad-length", field: "SecureOn password", offset: bodyBytes, ...sizes });
  }
  return password.byteLength === 0 ? { mac } : { mac, secureOnPassword: password.slice() };
}
