import { MacAddress } from "#wire/address/mac-address.ts";
import { ComputerUuid } from "../boot/computer-uuid.ts";

/** Who an agent says its computer is: what survives a new disk and a new operating system. */
export type ComputerIdentity = {
  /** Sorted, without duplicates, at most `macCountMax`. */
  readonly macs: readonly MacAddress[];
  /** `null` when absent or a placeholder. */
  readonly uuid: ComputerUuid | null;
  /** SMBIOS system serial number, `null` when absent or a placeholder. */
  readonly serial: string | null;
};

/** More network cards than any computer has; the rest of a longer list is dropped. */
export const macCountMax = 32;
const serialLengthMax = 64;

/** What boards carry when nobody filled the serial in, in lower case. They identify nobody. */
const placeholderSerials: ReadonlySet<string> = new Set([
  "to be filled by o.e.m.",
  "to be filled by o.e.m",
  "default string",
  "system serial number",
  "serial number",
  "chassis serial number",
  "not specified",
  "not applicable",
  "not available",
  "none",
  "n/a",
  "unknown",
  "oem",
  "o.e.m.",
  "invalid",
  "empty",
  "0123456789",
  "123456789",
  "1234567890",
  "test-serial",
]);

/**
 * Cleans what a computer says about itself. Unusable parts are left out, never guessed.
 *
 * @param words untrusted text: MACs with any separator, UUID in either case, serial as the firmware has it.
 */
export function readComputerIdentity(words: {
  readonly macs: readonly string[];
  readonly uuid: string | null;
  readonly serial: string | null;
}): ComputerIdentity {
  const macs = words.macs
    .slice(0, 4 * macCountMax)
    .map(readMac)
    .filter((mac) => mac !== null);
  return {
    macs: [...new Set(macs)].sort().slice(0, macCountMax),
    uuid: words.uuid === null ? null : ComputerUuid.parse(words.uuid),
    serial: words.serial === null ? null : readSerial(words.serial),
  };
}

/** `null` for text that is no MAC, and for all-zero, broadcast and group addresses, which belong to nobody. */
function readMac(text: string): MacAddress | null {
  const bare = text.trim().replaceAll(/[:-]/g, "");
  if (!/^[0-9a-fA-F]{12}$/.test(bare)) {
    return null;
  }
  const mac = MacAddress.parse(bare);
  const [first = 1, ...rest] = MacAddress.toBytes(mac);
  const isGroup = (first & 1) === 1;
  return isGroup || (first === 0 && rest.every((byte) => byte === 0)) ? null : mac;
}

/** `null` for placeholders, for one character repeated (`000000`, `FFFF`, `......`) and for unprintable text. */
function readSerial(text: string): string | null {
  const serial = text.trim();
  const isPrintable = /^[\x20-\x7e]+$/.test(serial) && serial.length <= serialLengthMax;
  const isRepeated = /^(.)\1*$/.test(serial.replaceAll(/[\s-]/g, ""));
  return !isPrintable || isRepeated || placeholderSerials.has(serial.toLowerCase()) ? null : serial;
}
