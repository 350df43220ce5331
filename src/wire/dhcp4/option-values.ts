import { Ipv4Address } from "../address/ipv4-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * The kinds of values DHCP options are made of. Readers take the option's name for the error and fail on a size
 * that is not exactly theirs.
 */

/** @throws WireError `bad-length` unless there are exactly `sizeBytes` */
export function checkSize(bytes: Uint8Array, sizeBytes: number, field: string): void {
  if (bytes.byteLength !== sizeBytes) {
    throw new WireError({
      code: "bad-length",
      field,
      offset: 0,
      needBytes: sizeBytes,
      haveBytes: bytes.byteLength,
    });
  }
}

/** @throws WireError `bad-length` */
export function readUint8Value(bytes: Uint8Array, field: string): number {
  checkSize(bytes, 1, field);
  return new ByteReader(bytes).uint8(field);
}

/** @throws WireError `bad-length` */
export function readUint16Value(bytes: Uint8Array, field: string): number {
  checkSize(bytes, 2, field);
  return new ByteReader(bytes).uint16(field);
}

/** @throws WireError `bad-length` */
export function readUint32Value(bytes: Uint8Array, field: string): number {
  checkSize(bytes, 4, field);
  return new ByteReader(bytes).uint32(field);
}

/** @throws WireError `bad-length` */
export function readAddressValue(bytes: Uint8Array, field: string): Ipv4Address {
  checkSize(bytes, 4, field);
  return Ipv4Address.fromBytes(bytes);
}

/** One or more addresses. @throws WireError `bad-length` */
export function readAddressesValue(bytes: Uint8Array, field: string): Ipv4Address[] {
  checkSize(bytes, Math.max(4, bytes.byteLength - (bytes.byteLength % 4)), field);
  const reader = new ByteReader(bytes);
  const addresses: Ipv4Address[] = [];
  while (reader.remainingBytes > 0) {
    addresses.push(Ipv4Address.fromBytes(reader.view(4, field)));
  }
  return addresses;
}

/** UTF-8 text up to the first NUL: the standard has none, boot ROMs send one. */
export function readTextValue(bytes: Uint8Array, field: string): string {
  return new ByteReader(bytes).fixedText(bytes.byteLength, field);
}

export function uint16Value(value: number): Uint8Array {
  return new ByteWriter(2).uint16(value).finish();
}

export function uint32Value(value: number): Uint8Array {
  return new ByteWriter(4).uint32(value).finish();
}

export function addressesValue(addresses: readonly Ipv4Address[]): Uint8Array {
  const writer = new ByteWriter(4 * addresses.length || 1);
  for (const address of addresses) {
    writer.put(Ipv4Address.toBytes(address));
  }
  return writer.finish();
}

export function textValue(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
