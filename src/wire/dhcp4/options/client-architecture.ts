import { ByteReader } from "../../bytes/byte-reader.ts";
import { ByteWriter } from "../../bytes/byte-writer.ts";
import { WireError } from "../../bytes/wire-error.ts";
import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";

/** What kind of boot files a firmware takes, from option 93. `isHttp` firmware takes URLs, the others TFTP paths. */
export type ClientArchitecture = {
  readonly value: number;
  readonly name: string;
  readonly cpu: "x86" | "x64" | "arm32" | "arm64" | "riscv" | "loongarch" | "ia64" | "any" | "other";
  readonly firmware: "bios" | "uefi" | "other";
  readonly isHttp: boolean;
};

const rows: readonly ClientArchitecture[] = [
  { value: 0x00, name: "x86 BIOS", cpu: "x86", firmware: "bios", isHttp: false },
  { value: 0x01, name: "NEC PC-98", cpu: "other", firmware: "other", isHttp: false },
  { value: 0x02, name: "Itanium UEFI", cpu: "ia64", firmware: "uefi", isHttp: false },
  { value: 0x06, name: "x86 UEFI", cpu: "x86", firmware: "uefi", isHttp: false },
  { value: 0x07, name: "x64 UEFI", cpu: "x64", firmware: "uefi", isHttp: false },
  // RFC 4578 named 7 and 9 the wrong way round until an erratum of 2016; firmware of both readings means x64.
  { value: 0x09, name: "x64 UEFI (9)", cpu: "x64", firmware: "uefi", isHttp: false },
  { value: 0x0a, name: "ARM 32-bit UEFI", cpu: "arm32", firmware: "uefi", isHttp: false },
  { value: 0x0b, name: "ARM 64-bit UEFI", cpu: "arm64", firmware: "uefi", isHttp: false },
  { value: 0x0f, name: "x86 UEFI HTTP", cpu: "x86", firmware: "uefi", isHttp: true },
  { value: 0x10, name: "x64 UEFI HTTP", cpu: "x64", firmware: "uefi", isHttp: true },
  { value: 0x11, name: "EBC UEFI HTTP", cpu: "any", firmware: "uefi", isHttp: true },
  { value: 0x12, name: "ARM 32-bit UEFI HTTP", cpu: "arm32", firmware: "uefi", isHttp: true },
  { value: 0x13, name: "ARM 64-bit UEFI HTTP", cpu: "arm64", firmware: "uefi", isHttp: true },
  { value: 0x14, name: "x86 BIOS HTTP", cpu: "x86", firmware: "bios", isHttp: true },
  { value: 0x19, name: "RISC-V 32-bit UEFI", cpu: "riscv", firmware: "uefi", isHttp: false },
  { value: 0x1a, name: "RISC-V 32-bit UEFI HTTP", cpu: "riscv", firmware: "uefi", isHttp: true },
  { value: 0x1b, name: "RISC-V 64-bit UEFI", cpu: "riscv", firmware: "uefi", isHttp: false },
  { value: 0x1c, name: "RISC-V 64-bit UEFI HTTP", cpu: "riscv", firmware: "uefi", isHttp: true },
  { value: 0x1d, name: "RISC-V 128-bit UEFI", cpu: "riscv", firmware: "uefi", isHttp: false },
  { value: 0x1e, name: "RISC-V 128-bit UEFI HTTP", cpu: "riscv", firmware: "uefi", isHttp: true },
  { value: 0x25, name: "LoongArch 32-bit UEFI", cpu: "loongarch", firmware: "uefi", isHttp: false },
  { value: 0x26, name: "LoongArch 32-bit UEFI HTTP", cpu: "loongarch", firmware: "uefi", isHttp: true },
  { value: 0x27, name: "LoongArch 64-bit UEFI", cpu: "loongarch", firmware: "uefi", isHttp: false },
  { value: 0x28, name: "LoongArch 64-bit UEFI HTTP", cpu: "loongarch", firmware: "uefi", isHttp: true },
];

/** Key: value of option 93. BOUNDED by the rows above. */
const byValue = new Map(rows.map((row) => [row.value, row]));

/** The row of a value, or `undefined` for one that is not in the table. */
export function findClientArchitecture(value: number): ClientArchitecture | undefined {
  return byValue.get(value);
}

/**
 * Option 93, a list in the firmware's order of preference; empty when absent.
 *
 * @throws WireError `bad-length` when it is empty or of odd size
 * @see RFC 4578 §2.1, RFC 5970 §3.3 (the same registry)
 */
export function clientArchitectures(options: DhcpOptions): readonly number[] {
  const bytes = findOption(options, optionCodes.clientArchitecture);
  return bytes === undefined ? [] : decodeClientArchitectures(bytes);
}

/** @throws WireError `bad-length` */
export function decodeClientArchitectures(bytes: Uint8Array): readonly number[] {
  const field = "client system architecture";
  if (bytes.byteLength === 0 || bytes.byteLength % 2 !== 0) {
    throw new WireError({ code: "bad-length", field, offset: 0, needBytes: 2, haveBytes: bytes.byteLength });
  }
  const reader = new ByteReader(bytes);
  const values: number[] = [];
  while (reader.remainingBytes > 0) {
    values.push(reader.uint16(field));
  }
  return values;
}

export function clientArchitecturesOption(values: readonly number[]): DhcpOption {
  const writer = new ByteWriter(2 * values.length || 2);
  for (const value of values) {
    writer.uint16(value);
  }
  return { code: optionCodes.clientArchitecture, bytes: writer.finish() };
}
