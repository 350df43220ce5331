import { Ipv4Address } from "../address/ipv4-address.ts";
import type { JsonFields } from "./json-fields.ts";

/** Which partition takes the difference between the image's disk and the target. */
export type ResizeRule = {
  /** Number in the partition table; `last`: the one that ends last on the disk. */
  readonly partition: "last" | number;
  readonly mayShrink: boolean;
};

/** What makes a restored computer itself. Machine id and SSH host keys are always made anew with it. */
export type ComputerIdentitySettings = {
  readonly hostName: string | null;
  readonly address: {
    readonly address: Ipv4Address;
    readonly prefixLength: number;
    readonly gateway: Ipv4Address | null;
    readonly nameServers: readonly Ipv4Address[];
  } | null;
  /** Answer file for Windows setup, put where a prepared installation looks for it. */
  readonly unattend: string | null;
};

/** How an image is put on a disk, beyond its chunks. */
export type RestoreOptions = {
  readonly resize: ResizeRule | null;
  /** New GUIDs for the disk and its partitions, so that clones can be told apart. */
  readonly hasNewIds: boolean;
  /** An entry for the restored disk among the firmware's. */
  readonly hasBootEntry: boolean;
  readonly identity: ComputerIdentitySettings | null;
};

/** The disk is to be the image, bit for bit. */
export const exactRestore: RestoreOptions = {
  resize: null,
  hasNewIds: false,
  hasBootEntry: false,
  identity: null,
};

const partitionCountMax = 128;

function decodeIdentity(fields: JsonFields): ComputerIdentitySettings {
  const hasAddress = fields.raw("address") !== null && fields.raw("address") !== undefined;
  const address = hasAddress ? fields.fields("address") : null;
  const gateway = address?.textOrNull("gateway", 15) ?? null;
  const hasUnattend = typeof fields.raw("unattend") === "string";
  return {
    hostName: fields.textOrNull("hostName", 253),
    address:
      address === null
        ? null
        : {
            address: Ipv4Address.parse(address.text("address", 15)),
            prefixLength: address.integer("prefixLength", 1, 32),
            gateway: gateway === null ? null : Ipv4Address.parse(gateway),
            nameServers: address.texts("nameServers", 8, 15).map((text) => Ipv4Address.parse(text)),
          },
    unattend: hasUnattend ? fields.content("unattend", 256 << 10) : null,
  };
}

function decodeResize(fields: JsonFields): ResizeRule {
  const isLast = fields.raw("partition") === "last";
  return {
    partition: isLast ? "last" : fields.integer("partition", 1, partitionCountMax),
    mayShrink: fields.flag("mayShrink"),
  };
}

/** Absent, as from an older server, means exact. @throws WireError `bad-value` */
export function decodeRestoreOptions(task: JsonFields): RestoreOptions {
  const raw = task.raw("options");
  if (raw === undefined || raw === null) {
    return exactRestore;
  }
  const fields = task.fields("options");
  const has = (field: string): boolean => fields.raw(field) !== null && fields.raw(field) !== undefined;
  return {
    resize: has("resize") ? decodeResize(fields.fields("resize")) : null,
    hasNewIds: fields.flag("hasNewIds"),
    hasBootEntry: fields.flag("hasBootEntry"),
    identity: has("identity") ? decodeIdentity(fields.fields("identity")) : null,
  };
}
