import { ByteReader } from "../bytes/byte-reader.ts";
import { WireError } from "../bytes/wire-error.ts";
import { decodeGuid } from "../partition/guid.ts";

/*
 * EFI_LOAD_OPTION (UEFI 2.10 §3.1.3), little-endian:
 * | 0 | 4 | attributes, bit 0: active                      |
 * | 4 | 2 | size of the device path list                   |
 * | 6 | … | description, UTF-16, ends with a zero          |
 * |   | … | device path: nodes of type, subtype, size (2)  |
 */
export type LoadOption = {
  readonly isActive: boolean;
  readonly description: string;
  /** Nodes in order, without the end node. §10.3 */
  readonly nodes: readonly { readonly type: number; readonly subtype: number }[];
  /** Where on a disk it lies, by the partition's GUID; `null` when its path names no partition of a GPT. §10.3.5.1 */
  readonly partition: OptionPartition | null;
};

export type OptionPartition = {
  readonly number: number;
  readonly firstSector: number;
  readonly sectorCount: number;
  readonly id: string;
};

const hardDrive = { type: 4, subtype: 1, sizeBytes: 42, guidSignature: 2 } as const;

const descriptionCharactersMax = 512;
const nodeCountMax = 64;
const endOfPath = 0x7f;

/** @throws WireError `truncated` | `bad-length` | `too-long` */
export function decodeLoadOption(bytes: Uint8Array): LoadOption {
  const reader = new ByteReader(bytes);
  const attributes = reader.uint32LittleEndian("attributes");
  reader.uint16LittleEndian("device path list size");
  let description = "";
  for (;;) {
    const unit = reader.uint16LittleEndian("description");
    if (unit === 0) {
      break;
    }
    if (description.length >= descriptionCharactersMax) {
      throw new WireError({ code: "too-long", field: "description", offset: reader.offset });
    }
    description += String.fromCodePoint(unit);
  }
  const nodes: { type: number; subtype: number }[] = [];
  let partition: OptionPartition | null = null;
  while (reader.remainingBytes > 0) {
    const type = reader.uint8("node type");
    const subtype = reader.uint8("node subtype");
    const sizeBytes = reader.uint16LittleEndian("node size");
    if (sizeBytes < 4) {
      throw new WireError({ code: "bad-length", field: "node size", offset: reader.offset });
    }
    if (type === endOfPath || nodes.length >= nodeCountMax) {
      break;
    }
    nodes.push({ type, subtype });
    const body = reader.view(sizeBytes - 4, "node");
    if (type === hardDrive.type && subtype === hardDrive.subtype && sizeBytes === hardDrive.sizeBytes) {
      partition = decodeHardDrive(body);
    }
  }
  return { isActive: (attributes & 1) === 1, description, nodes, partition };
}

/** Number (4), first sector (8), sectors (8), signature (16), its format (1), its kind (1). */
function decodeHardDrive(body: Uint8Array): OptionPartition | null {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return view.getUint8(37) === hardDrive.guidSignature
    ? {
        number: view.getUint32(0, true),
        firstSector: Number(view.getBigUint64(4, true)),
        sectorCount: Number(view.getBigUint64(12, true)),
        id: decodeGuid(body, 20),
      }
    : null;
}

/** Messaging nodes that only a network boot has: MAC, IPv4, IPv6, URI, DNS. §10.3.4 */
const networkSubtypes = [11, 12, 13, 24, 31];

/** Whether the option starts from the network. */
export function isNetworkOption({ nodes }: LoadOption): boolean {
  return nodes.some(({ type, subtype }) => type === 3 && networkSubtypes.includes(subtype));
}

/** Whether the option starts a program inside the firmware, such as its set-up or shell. §10.3.5.7 */
export function isFirmwareOption({ nodes }: LoadOption): boolean {
  return nodes.some(({ type, subtype }) => type === 4 && (subtype === 6 || subtype === 7));
}
