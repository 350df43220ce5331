import { ByteWriter } from "../bytes/byte-writer.ts";
import { WireError } from "../bytes/wire-error.ts";
import type { DhcpOption, DhcpOptions } from "./dhcp-options.ts";
import { optionCodes } from "./option-codes.ts";
import { encodedOptionSizeBytes, writeOption } from "./option-fields.ts";

export type OptionSpace = {
  /** Room of the options field, its end option included. */
  readonly optionsBytesMax: number;
  /** Size of the `file` field, 0 when it holds a file name. */
  readonly bootFileBytes: number;
  /** Size of the `sname` field, 0 when it holds a server name. */
  readonly serverNameBytes: number;
};

export type OptionLayout = {
  /** Ends with the end option. */
  readonly optionsField: Uint8Array;
  /** The whole field with its end option and padding, or `null` when it holds no options. */
  readonly bootFileField: Uint8Array | null;
  readonly serverNameField: Uint8Array | null;
};

type Area = { readonly capacityBytes: number; readonly options: DhcpOption[]; usedBytes: number };

/**
 * Places options: 53 first, 82 last and always in the options field (relays look for it there). When the options
 * field is too small, option 52 opens `file`, then `sname`; an option that fits whole nowhere is cut over the areas.
 *
 * @throws WireError `too-long` when there is not enough room, `bad-value` for codes 0, 52, 255 and duplicates
 * @see RFC 2131 §4.1, RFC 2132 §9.3, RFC 3046 §2.1, RFC 3396 §5
 */
export function layOutOptions(options: DhcpOptions, space: OptionSpace): OptionLayout {
  checkCodes(options);
  const first = options.filter((option) => option.code === optionCodes.messageType);
  const last = options.filter((option) => option.code === optionCodes.relayAgentInformation);
  const middle = options.filter((option) => !first.includes(option) && !last.includes(option));
  const ordered = [...first, ...middle, ...last];
  const neededBytes = sumBytes(ordered) + 1;
  if (neededBytes <= space.optionsBytesMax) {
    return { optionsField: writeArea(ordered), bootFileField: null, serverNameField: null };
  }

  // The end option, option 52 (three bytes) and option 82 keep their place in the options field.
  const main = newArea(space.optionsBytesMax - 1 - 3 - sumBytes(last));
  const bootFile = newArea(space.bootFileBytes - 1);
  const serverName = newArea(space.serverNameBytes - 1);
  const hasRoom = main.capacityBytes >= 0;
  const isPlaced = [...first, ...middle].every((option) => place(option, [main, bootFile, serverName]));
  if (!hasRoom || !isPlaced) {
    throw new WireError({
      code: "too-long",
      field: "options",
      offset: 240,
      needBytes: neededBytes,
      haveBytes: space.optionsBytesMax,
    });
  }
  const overload = (bootFile.usedBytes > 0 ? 1 : 0) + (serverName.usedBytes > 0 ? 2 : 0);
  const opening: DhcpOption = { code: optionCodes.overload, bytes: Uint8Array.of(overload) };
  const [head, ...tail] = main.options;
  const startsWithType = head !== undefined && first.includes(head);
  const mainOptions = startsWithType ? [head, opening, ...tail] : [opening, ...main.options];
  return {
    optionsField: writeArea([...mainOptions, ...last]),
    bootFileField: writeField(bootFile, space.bootFileBytes),
    serverNameField: writeField(serverName, space.serverNameBytes),
  };
}

function checkCodes(options: DhcpOptions): void {
  const seen = new Set<number>();
  const reserved: readonly number[] = [optionCodes.pad, optionCodes.overload, optionCodes.end];
  for (const { code } of options) {
    const isByte = Number.isInteger(code) && code > 0 && code < 255;
    if (!isByte || reserved.includes(code) || seen.has(code)) {
      throw new WireError({ code: "bad-value", field: "options", offset: 240, detail: `option ${code}` });
    }
    seen.add(code);
  }
}

function sumBytes(options: DhcpOptions): number {
  return options.reduce((sum, option) => sum + encodedOptionSizeBytes(option), 0);
}

function newArea(capacityBytes: number): Area {
  return { capacityBytes, options: [], usedBytes: 0 };
}

/** Puts an option whole into the first area with room, or in pieces over all of them. */
function place(option: DhcpOption, areas: readonly Area[]): boolean {
  const sizeBytes = encodedOptionSizeBytes(option);
  const roomy = areas.find((area) => area.capacityBytes - area.usedBytes >= sizeBytes);
  if (roomy !== undefined) {
    roomy.options.push(option);
    roomy.usedBytes += sizeBytes;
    return true;
  }
  let offset = 0;
  for (const area of areas) {
    let roomBytes = area.capacityBytes - area.usedBytes - 2;
    while (roomBytes > 0 && offset < option.bytes.byteLength) {
      const bytes = option.bytes.subarray(offset, offset + Math.min(255, roomBytes));
      area.options.push({ code: option.code, bytes });
      area.usedBytes += bytes.byteLength + 2;
      offset += bytes.byteLength;
      roomBytes = area.capacityBytes - area.usedBytes - 2;
    }
  }
  return offset === option.bytes.byteLength && offset > 0;
}

function writeArea(options: DhcpOptions): Uint8Array {
  const writer = new ByteWriter();
  for (const option of options) {
    writeOption(writer, option);
  }
  return writer.uint8(optionCodes.end).finish();
}

function writeField(area: Area, sizeBytes: number): Uint8Array | null {
  if (area.usedBytes === 0) {
    return null;
  }
  const written = writeArea(area.options);
  return new ByteWriter(sizeBytes)
    .put(written)
    .zeros(sizeBytes - written.byteLength)
    .finish();
}
