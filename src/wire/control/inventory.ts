import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { JsonFields } from "./json-fields.ts";
import { decodeNetworkCard, type NetworkCard } from "./network-card.ts";

export type DiskInventory = {
  /** Kernel name of this boot, for display only: `vda`. Never used to choose a disk. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly model: string | null;
  readonly serial: string | null;
  readonly wwn: string | null;
  readonly byPath: string | null;
  readonly isRemovable: boolean;
};

/** What an agent says about its computer. Claims, every one of them. */
export type Inventory = {
  readonly macs: readonly MacAddress[];
  readonly uuid: string | null;
  readonly serial: string | null;
  readonly hostName: string | null;
  readonly product: string | null;
  readonly firmware: "bios" | "uefi";
  readonly isSecureBoot: boolean;
  readonly processor: string | null;
  readonly processorCount: number;
  readonly memoryBytes: number;
  readonly operatingSystem: string | null;
  readonly addresses: readonly Ipv4Address[];
  readonly disks: readonly DiskInventory[];
  readonly cards: readonly NetworkCard[];
};

const textMax = 128;

function decodeDisk(value: unknown): DiskInventory {
  const fields = new JsonFields(value, "disk");
  return {
    name: fields.text("name", textMax),
    sizeBytes: fields.integer("sizeBytes", 0, Number.MAX_SAFE_INTEGER),
    model: fields.labelOrNull("model", textMax),
    serial: fields.labelOrNull("serial", textMax),
    wwn: fields.labelOrNull("wwn", textMax),
    byPath: fields.labelOrNull("byPath", 256),
    isRemovable: fields.flag("isRemovable"),
  };
}

/** @throws WireError `bad-value` */
export function decodeInventory(value: unknown): Inventory {
  const fields = new JsonFields(value, "inventory");
  return {
    macs: fields.texts("macs", 32, 17).map((text) => MacAddress.parse(text)),
    uuid: fields.textOrNull("uuid", 36),
    serial: fields.labelOrNull("serial", textMax),
    hostName: fields.labelOrNull("hostName", textMax),
    product: fields.labelOrNull("product", textMax),
    firmware: fields.choice("firmware", ["bios", "uefi"]),
    isSecureBoot: fields.flag("isSecureBoot"),
    processor: fields.labelOrNull("processor", textMax),
    processorCount: fields.integer("processorCount", 0, 65_536),
    memoryBytes: fields.integer("memoryBytes", 0, Number.MAX_SAFE_INTEGER),
    operatingSystem: fields.labelOrNull("operatingSystem", textMax),
    addresses: fields.texts("addresses", 64, 15).map((text) => Ipv4Address.parse(text)),
    disks: fields.list("disks", 256, decodeDisk),
    // Agents of the first version do not tell them.
    cards: fields.raw("cards") === undefined ? [] : fields.list("cards", 32, decodeNetworkCard),
  };
}
