import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * Request, by multicast to the discovery group:
 *
 * | offset | size | field                                                  |
 * | ------ | ---- | ------------------------------------------------------ |
 * | 0      | 4    | magic, "PTLD"                                          |
 * | 4      | 1    | version, 1                                             |
 * | 5      | 1    | type, 1                                                |
 * | 6      | 16   | nonce, new for every request                           |
 * | 22     | 1    | count of MAC addresses, 1 to 16                        |
 * | 23     | 6·n  | MAC addresses of the asking computer                   |
 * | …      | …    | zeros up to 512 bytes                                  |
 *
 * Answer, by unicast to the asker:
 *
 * | offset | size | field                                                  |
 * | ------ | ---- | ------------------------------------------------------ |
 * | 0      | 4    | magic, "PTLD"                                          |
 * | 4      | 1    | version, 1                                             |
 * | 5      | 1    | type, 2                                                |
 * | 6      | 16   | nonce of the request                                   |
 * | 22     | 4    | server address on the asker's segment                  |
 * | 26     | 2    | TCP port of the control connection                     |
 * | 28     | 1    | 1: the server knows one of the MAC addresses, else 0   |
 * | 29     | 1    | size of the server name, 1 to 63                       |
 * | 30     | n    | server name, UTF-8                                     |
 * | …      | 2    | size of the site's public key                          |
 * | …      | n    | the site's public key, SPKI DER                        |
 * | …      | 2    | size of the signature                                  |
 * | …      | n    | ECDSA signature (SHA-256, DER) of all bytes before its size |
 *
 * A request is padded, so that an answer is never longer than its question: a forged source address gains nothing.
 */
const magic = 0x50544c44;
const version = 1;
const typeRequest = 1;
const typeAnswer = 2;
const macCountMax = 16;
const nameSizeBytesMax = 63;
const keySizeBytesMax = 256;
const signatureSizeBytesMax = 128;

export const nonceSizeBytes = 16;
export const requestSizeBytes = 512;

/** "Which server serves my segment?" The first bytes an agent sends; they carry no secret. */
export type GetServerRequest = {
  readonly type: "get-server";
  readonly nonce: Uint8Array;
  readonly macs: readonly MacAddress[];
};

/** What the signature covers. */
export type GetServerFacts = {
  readonly nonce: Uint8Array;
  readonly address: Ipv4Address;
  readonly port: number;
  readonly isKnown: boolean;
  readonly serverName: string;
  /** SPKI DER. Its SHA-256 is what agents pin. */
  readonly siteKey: Uint8Array;
};

export type GetServerAnswer = GetServerFacts & {
  readonly type: "server";
  readonly signature: Uint8Array;
  /** The bytes that were signed, as they came. */
  readonly signedBytes: Uint8Array;
};

const textDecoder = new TextDecoder("utf-8", { fatal: true });
const textEncoder = new TextEncoder();

function refuse(field: string, offset: number, detail: string): never {
  throw new WireError({ code: "bad-value", field, offset, detail });
}

/** @throws WireError `truncated` | `bad-magic` | `unsupported-version` | `bad-value` */
function readHead(reader: ByteReader, type: number): Uint8Array {
  const found = reader.uint32("magic");
  if (found !== magic) {
    throw new WireError({ code: "bad-magic", field: "magic", offset: 0, detail: found.toString(16) });
  }
  const foundVersion = reader.uint8("version");
  if (foundVersion !== version) {
    throw new WireError({
      code: "unsupported-version",
      field: "version",
      offset: 4,
      detail: String(foundVersion),
    });
  }
  const foundType = reader.uint8("type");
  if (foundType !== type) {
    refuse("type", 5, String(foundType));
  }
  return reader.copy(nonceSizeBytes, "nonce");
}

export function encodeGetServerRequest(request: Omit<GetServerRequest, "type">): Uint8Array<ArrayBuffer> {
  const macs = request.macs.slice(0, macCountMax);
  const writer = new ByteWriter(requestSizeBytes)
    .uint32(magic)
    .uint8(version)
    .uint8(typeRequest)
    .put(request.nonce)
    .uint8(macs.length);
  for (const mac of macs) {
    writer.put(MacAddress.toBytes(mac));
  }
  return writer.zeros(requestSizeBytes - writer.offset).finish();
}

/** @throws WireError */
export function decodeGetServerRequest(bytes: Uint8Array): GetServerRequest {
  if (bytes.byteLength > requestSizeBytes) {
    throw new WireError({ code: "too-long", field: "request", offset: 0, haveBytes: bytes.byteLength });
  }
  const reader = new ByteReader(bytes);
  const nonce = readHead(reader, typeRequest);
  const macCount = reader.uint8("MAC count");
  if (macCount < 1 || macCount > macCountMax) {
    refuse("MAC count", 22, String(macCount));
  }
  const macs = Array.from({ length: macCount }, () =>
    MacAddress.fromBytes(reader.view(MacAddress.sizeBytes, "MAC address")),
  );
  const padding = reader.view(requestSizeBytes - reader.offset, "padding");
  if (padding.some((byte) => byte !== 0)) {
    refuse("padding", requestSizeBytes - padding.byteLength, "not zero");
  }
  return { type: "get-server", nonce, macs };
}

/** The bytes to sign. */
export function encodeGetServerFacts(facts: GetServerFacts): Uint8Array<ArrayBuffer> {
  const name = textEncoder.encode(facts.serverName);
  if (name.byteLength < 1 || name.byteLength > nameSizeBytesMax) {
    refuse("server name", 29, `${name.byteLength} bytes`);
  }
  return new ByteWriter(requestSizeBytes)
    .uint32(magic)
    .uint8(version)
    .uint8(typeAnswer)
    .put(facts.nonce)
    .put(Ipv4Address.toBytes(facts.address))
    .uint16(facts.port)
    .uint8(facts.isKnown ? 1 : 0)
    .uint8(name.byteLength)
    .put(name)
    .uint16(facts.siteKey.byteLength)
    .put(facts.siteKey)
    .finish();
}

/** The whole answer, from the bytes that were signed and their signature. */
export function encodeGetServerAnswer(
  signedBytes: Uint8Array,
  signature: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return new ByteWriter(requestSizeBytes)
    .put(signedBytes)
    .uint16(signature.byteLength)
    .put(signature)
    .finish();
}

function readBounded(reader: ByteReader, sizeBytesMax: number, field: string): Uint8Array {
  const { offset } = reader;
  const sizeBytes = reader.uint16(`${field} size`);
  if (sizeBytes < 1 || sizeBytes > sizeBytesMax) {
    refuse(`${field} size`, offset, String(sizeBytes));
  }
  return reader.copy(sizeBytes, field);
}

function readName(reader: ByteReader): string {
  const { offset } = reader;
  const sizeBytes = reader.uint8("server name size");
  if (sizeBytes < 1 || sizeBytes > nameSizeBytesMax) {
    refuse("server name size", offset, String(sizeBytes));
  }
  const bytes = reader.view(sizeBytes, "server name");
  let name: string;
  try {
    name = textDecoder.decode(bytes);
  } catch {
    refuse("server name", offset, "not UTF-8");
  }
  if (/[\p{Cc}\p{Cf}]/u.test(name)) {
    refuse("server name", offset, "has control characters");
  }
  return name;
}

/** Nothing in it is true before the signature was checked against a pinned key. @throws WireError */
export function decodeGetServerAnswer(bytes: Uint8Array): GetServerAnswer {
  const reader = new ByteReader(bytes);
  const nonce = readHead(reader, typeAnswer);
  const address = Ipv4Address.fromBytes(reader.view(4, "address"));
  const port = reader.uint16("port");
  if (port === 0) {
    refuse("port", 26, "0");
  }
  const known = reader.uint8("known");
  if (known > 1) {
    refuse("known", 28, String(known));
  }
  const serverName = readName(reader);
  const siteKey = readBounded(reader, keySizeBytesMax, "site key");
  const signedBytes = bytes.slice(0, reader.offset);
  const signature = readBounded(reader, signatureSizeBytesMax, "signature");
  if (reader.remainingBytes > 0) {
    throw new WireError({
      code: "trailing-bytes",
      field: "answer",
      offset: reader.offset,
      haveBytes: reader.remainingBytes,
    });
  }
  const isKnown = known === 1;
  return { type: "server", nonce, address, port, isKnown, serverName, siteKey, signature, signedBytes };
}
