import { readFile } from "node:fs/promises";
import { ByteReader } from "#wire/bytes/byte-reader.ts";
import { decodeGuid } from "#wire/partition/guid.ts";
import { decodeLoadOption, type LoadOption } from "#wire/uefi/load-option.ts";

/** EFI_GLOBAL_VARIABLE. UEFI 2.10 §3.3 */
const globalVariable = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
/** Behind the headers of OVMF's firmware volume and of its variable store. */
const firstVariableOffset = 0x64;
const startOfVariable = 0x55aa;
/** Added, and added but about to be replaced (EDK II, `VariableFormat.h`). */
const validStates = [0x3f, 0x3e];

export type BootEntry = LoadOption & {
  readonly number: number;
  /** Its place in the order in which the firmware tries them; -1: it is not tried. */
  readonly orderIndex: number;
};

/** The global variables in a flash file of OVMF, as its firmware has left them. */
async function readGlobalVariables(path: string): Promise<Map<string, Uint8Array>> {
  const reader = new ByteReader(await readFile(path));
  const variables = new Map<string, Uint8Array>();
  reader.skip(firstVariableOffset, "store header");
  while (reader.remainingBytes >= 60 && reader.uint16LittleEndian("start") === startOfVariable) {
    const state = reader.uint8("state");
    // Reserved, attributes, monotonic count, time stamp, key index.
    reader.skip(1 + 4 + 8 + 16 + 4, "authentication");
    const nameSizeBytes = reader.uint32LittleEndian("name size");
    const sizeBytes = reader.uint32LittleEndian("size");
    const vendor = decodeGuid(reader.view(16, "vendor"), 0);
    const name = Buffer.from(reader.view(nameSizeBytes, "name")).toString("utf16le").replace(/\0$/, "");
    const value = reader.copy(sizeBytes, "value");
    reader.skip(-reader.offset & 3, "alignment");
    if (vendor === globalVariable && validStates.includes(state)) {
      variables.set(name, value);
    }
  }
  return variables;
}

/** The boot entries in a flash file of OVMF. @throws WireError */
export async function readBootEntries(path: string): Promise<BootEntry[]> {
  const variables = await readGlobalVariables(path);
  const order = Buffer.from(variables.get("BootOrder") ?? []);
  const numbers = Array.from({ length: order.byteLength >> 1 }, (_, index) => order.readUInt16LE(index * 2));
  return [...variables].flatMap(([name, value]) => {
    const digits = /^Boot([0-9A-F]{4})$/.exec(name)?.[1];
    const number = Number.parseInt(digits ?? "", 16);
    return digits === undefined
      ? []
      : [{ ...decodeLoadOption(value), number, orderIndex: numbers.indexOf(number) }];
  });
}
