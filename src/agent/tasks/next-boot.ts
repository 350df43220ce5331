import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeLoadOption, isFirmwareOption, isNetworkOption } from "#wire/uefi/load-option.ts";

const folder = "/sys/firmware/efi/efivars";
/** EFI_GLOBAL_VARIABLE. UEFI 2.10 §3.3 */
const globalVariable = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
/** The kernel puts four bytes of attributes before each value. */
const attributesSizeBytes = 4;
/** Non-volatile, for boot services and the running system. */
const bootNextAttributes = 7;

function variablePath(name: string): string {
  return `${folder}/${name}-${globalVariable}`;
}

function bootOrder(): number[] {
  const path = variablePath("BootOrder");
  if (!existsSync(path)) {
    return [];
  }
  const value = readFileSync(path).subarray(attributesSizeBytes);
  return Array.from({ length: value.byteLength >> 1 }, (_, index) => value.readUInt16LE(index * 2));
}

function startsFromDisk(number: number): boolean {
  const path = variablePath(`Boot${number.toString(16).toUpperCase().padStart(4, "0")}`);
  if (!existsSync(path)) {
    return false;
  }
  try {
    const option = decodeLoadOption(readFileSync(path).subarray(attributesSizeBytes));
    return option.isActive && !isNetworkOption(option) && !isFirmwareOption(option);
  } catch (error) {
    if (error instanceof WireError) {
      return false;
    }
    throw error;
  }
}

/**
 * Tells UEFI firmware to start the disk once, so that it does not first wait a minute for a network boot that nobody
 * answers. The boot order stays as it is.
 *
 * @returns what was done, for people; `null` where there is nothing to tell (BIOS, or no such entry)
 */
export function bootDiskNext(): string | null {
  if (!existsSync(folder) || readdirSync(folder).length === 0) {
    return null;
  }
  const number = bootOrder().find(startsFromDisk);
  if (number === undefined) {
    return null;
  }
  const value = Buffer.alloc(attributesSizeBytes + 2);
  value.writeUInt32LE(bootNextAttributes, 0);
  value.writeUInt16LE(number, attributesSizeBytes);
  writeFileSync(variablePath("BootNext"), value);
  return `the firmware starts the disk next (entry ${number})`;
}
