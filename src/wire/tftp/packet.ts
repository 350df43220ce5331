import { ByteReader } from "../bytes/byte-reader.ts";
import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";

/*
 * | opcode | packet | then                                          |
 * | ------ | ------ | --------------------------------------------- |
 * | 1      | RRQ    | file name, NUL, mode, NUL, options            |
 * | 2      | WRQ    | the same                                      |
 * | 3      | DATA   | block number (2), 0 to block size bytes       |
 * | 4      | ACK    | block number (2)                              |
 * | 5      | ERROR  | error code (2), message, NUL                  |
 * | 6      | OACK   | options                                       |
 *
 * An option is name, NUL, value, NUL (RFC 2347).
 */
const opcodes = { readRequest: 1, writeRequest: 2, data: 3, ack: 4, error: 5, optionAck: 6 } as const;

/** Error codes of RFC 1350 §5 and RFC 2347. */
export const TftpErrorCode = {
  undefined: 0,
  fileNotFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTransferId: 5,
  fileExists: 6,
  noSuchUser: 7,
  optionRefused: 8,
} as const;

/** Option names are compared without case and kept in lower case. First of a repeated name wins. */
export type TftpOptions = ReadonlyMap<string, string>;

export type TftpRequest = {
  readonly type: "read-request" | "write-request";
  readonly fileName: string;
  /** `octet` or `netascii`, in lower case. */
  readonly mode: string;
  readonly options: TftpOptions;
};

export type TftpPacket =
  | TftpRequest
  | { readonly type: "data"; readonly blockNumber: number; readonly data: Uint8Array }
  | { readonly type: "ack"; readonly blockNumber: number }
  | { readonly type: "error"; readonly code: number; readonly message: string }
  | { readonly type: "option-ack"; readonly options: TftpOptions };

/** Bounds what a request may hold, long before memory does: no firmware sends more. */
const requestSizeBytesMax = 2048;
const optionCountMax = 16;

function decodeOptions(reader: ByteReader): TftpOptions {
  const options = new Map<string, string>();
  while (reader.remainingBytes > 0) {
    if (options.size >= optionCountMax) {
      throw new WireError({ code: "too-long", field: "options", offset: reader.offset });
    }
    const name = reader.nulTerminatedText("option name").toLowerCase();
    const value = reader.nulTerminatedText("option value");
    if (name === "") {
      // Some firmware pads requests with NULs after the last option.
      continue;
    }
    if (!options.has(name)) {
      options.set(name, value);
    }
  }
  return options;
}

function decodeRequest(type: TftpRequest["type"], reader: ByteReader): TftpRequest {
  if (reader.bytes.byteLength > requestSizeBytesMax) {
    throw new WireError({
      code: "too-long",
      field: "request",
      offset: 0,
      needBytes: requestSizeBytesMax,
      haveBytes: reader.bytes.byteLength,
    });
  }
  const fileName = reader.nulTerminatedText("file name");
  const mode = reader.nulTerminatedText("mode").toLowerCase();
  return { type, fileName, mode, options: decodeOptions(reader) };
}

/**
 * Decodes one TFTP packet.
 *
 * @param bytes UDP payload. `data` is a view into it.
 * @throws WireError `truncated` | `too-long` | `bad-value` (unknown opcode)
 * @see RFC 1350 §5, RFC 2347
 */
export function decodeTftpPacket(bytes: Uint8Array): TftpPacket {
  const reader = new ByteReader(bytes);
  const opcode = reader.uint16("opcode");
  switch (opcode) {
    case opcodes.readRequest:
      return decodeRequest("read-request", reader);
    case opcodes.writeRequest:
      return decodeRequest("write-request", reader);
    case opcodes.data:
      return { type: "data", blockNumber: reader.uint16("block number"), data: reader.rest() };
    case opcodes.ack:
      return { type: "ack", blockNumber: reader.uint16("block number") };
    case opcodes.error: {
      const code = reader.uint16("error code");
      // Several clients leave the final NUL out.
      return { type: "error", code, message: reader.fixedText(reader.remainingBytes, "error message") };
    }
    case opcodes.optionAck:
      return { type: "option-ack", options: decodeOptions(reader) };
    default:
      throw new WireError({ code: "bad-value", field: "opcode", offset: 0, detail: String(opcode) });
  }
}

function putOptions(writer: ByteWriter, options: TftpOptions): void {
  for (const [name, value] of options) {
    writer.nulTerminatedText(name).nulTerminatedText(value);
  }
}

export const blockHeaderSizeBytes = 4;

/**
 * Writes one DATA packet where there is room for it: a window of them is built without memory for each.
 *
 * @returns the offset behind it
 */
export function writeDataPacket(
  target: Uint8Array,
  offset: number,
  { blockNumber, data }: Extract<TftpPacket, { readonly type: "data" }>,
): number {
  target[offset] = 0;
  target[offset + 1] = opcodes.data;
  target[offset + 2] = (blockNumber >> 8) & 0xff;
  target[offset + 3] = blockNumber & 0xff;
  target.set(data, offset + blockHeaderSizeBytes);
  return offset + blockHeaderSizeBytes + data.byteLength;
}

/** Encodes one TFTP packet. Block numbers are taken modulo 65536. */
export function encodeTftpPacket(packet: TftpPacket): Uint8Array {
  const writer = new ByteWriter(packet.type === "data" ? packet.data.byteLength + 4 : 128);
  switch (packet.type) {
    case "read-request":
    case "write-request":
      writer.uint16(packet.type === "read-request" ? opcodes.readRequest : opcodes.writeRequest);
      writer.nulTerminatedText(packet.fileName).nulTerminatedText(packet.mode);
      putOptions(writer, packet.options);
      break;
    case "data":
      writer
        .uint16(opcodes.data)
        .uint16(packet.blockNumber & 0xffff)
        .put(packet.data);
      break;
    case "ack":
      writer.uint16(opcodes.ack).uint16(packet.blockNumber & 0xffff);
      break;
    case "error":
      writer.uint16(opcodes.error).uint16(packet.code).nulTerminatedText(packet.message);
      break;
    case "option-ack":
      writer.uint16(opcodes.optionAck);
      putOptions(writer, packet.options);
      break;
  }
  return writer.finish();
}
