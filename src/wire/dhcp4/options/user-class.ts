import { ByteReader } from "../../bytes/byte-reader.ts";
import { ByteWriter } from "../../bytes/byte-writer.ts";
import { WireError } from "../../bytes/wire-error.ts";
import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { readTextValue, textValue } from "../option-values.ts";

/**
 * Option 77, as a list of texts; empty when absent. RFC 3004 has each with its size before it. iPXE and others send
 * one text without a size: a value that is not exactly a list of sized texts is taken as one text.
 */
export function userClass(options: DhcpOptions): readonly string[] {
  const bytes = findOption(options, optionCodes.userClass);
  return bytes === undefined ? [] : decodeUserClass(bytes);
}

export function decodeUserClass(bytes: Uint8Array): readonly string[] {
  return decodeSizedTexts(bytes) ?? [readTextValue(bytes, "user class")];
}

/** iPXE says so itself; answering it with itself again would loop. */
export function isIpxeUserClass(options: DhcpOptions): boolean {
  return userClass(options).includes("iPXE");
}

/** RFC 3004's form. @throws WireError `bad-length` for a text that is empty or longer than 255 bytes */
export function userClassOption(classes: readonly string[]): DhcpOption {
  const writer = new ByteWriter();
  for (const text of classes) {
    const bytes = textValue(text);
    if (bytes.byteLength === 0 || bytes.byteLength > 255) {
      throw new WireError({
        code: "bad-length",
        field: "user class",
        offset: writer.offset,
        needBytes: 1,
        haveBytes: bytes.byteLength,
      });
    }
    writer.uint8(bytes.byteLength).put(bytes);
  }
  return { code: optionCodes.userClass, bytes: writer.finish() };
}

/** The form without a size, as iPXE sends it. */
export function plainUserClassOption(text: string): DhcpOption {
  return { code: optionCodes.userClass, bytes: textValue(text) };
}

function decodeSizedTexts(bytes: Uint8Array): string[] | null {
  const reader = new ByteReader(bytes);
  const texts: string[] = [];
  while (reader.remainingBytes > 0) {
    const sizeBytes = reader.uint8("user class size");
    if (sizeBytes === 0 || sizeBytes > reader.remainingBytes) {
      return null;
    }
    texts.push(readTextValue(reader.view(sizeBytes, "user class"), "user class"));
  }
  return texts;
}
