import { WireError } from "../bytes/wire-error.ts";

/** An IPv4 address as dotted decimal text without leading zeros, `192.168.0.1`. */
export type Ipv4Address = string & { readonly __brand: "Ipv4Address" };

/** A subnet in CIDR form. `address` is the network address. */
export type Ipv4Subnet = { readonly address: Ipv4Address; readonly prefixLength: number };

const octet = /^(0|[1-9][0-9]{0,2})$/;

export const Ipv4Address = {
  any: "0.0.0.0" as Ipv4Address,
  broadcast: "255.255.255.255" as Ipv4Address,

  isValid(text: string): text is Ipv4Address {
    const parts = text.split(".");
    return parts.length === 4 && parts.every((part) => octet.test(part) && Number(part) <= 255);
  },

  /** @throws WireError `bad-value` */
  parse(text: string): Ipv4Address {
    if (!Ipv4Address.isValid(text)) {
      throw new WireError({
        code: "bad-value",
        field: "IPv4 address",
        offset: 0,
        detail: JSON.stringify(text),
      });
    }
    return text;
  },

  fromBytes(bytes: Uint8Array): Ipv4Address {
    if (bytes.byteLength !== 4) {
      throw new WireError({
        code: "bad-length",
        field: "IPv4 address",
        offset: 0,
        needBytes: 4,
        haveBytes: bytes.byteLength,
      });
    }
    return Array.from(bytes).join(".") as Ipv4Address;
  },

  toBytes(address: Ipv4Address): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(address.split("."), Number);
  },

  toNumber(address: Ipv4Address): number {
    return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  },

  fromNumber(value: number): Ipv4Address {
    return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".") as Ipv4Address;
  },

  /** 224.0.0.0/4. RFC 5771 */
  isMulticast(address: Ipv4Address): boolean {
    const first = Ipv4Address.toNumber(address) >>> 28;
    return first === 0xe;
  },

  isInside(address: Ipv4Address, subnet: Ipv4Subnet): boolean {
    const mask = Ipv4Subnet.mask(subnet.prefixLength);
    return (
      (Ipv4Address.toNumber(address) & mask) >>> 0 === (Ipv4Address.toNumber(subnet.address) & mask) >>> 0
    );
  },
};

export const Ipv4Subnet = {
  mask(prefixLength: number): number {
    return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
  },

  /** The subnet an interface address belongs to. */
  of(address: Ipv4Address, prefixLength: number): Ipv4Subnet {
    const network = (Ipv4Address.toNumber(address) & Ipv4Subnet.mask(prefixLength)) >>> 0;
    return { address: Ipv4Address.fromNumber(network), prefixLength };
  },

  format(subnet: Ipv4Subnet): string {
    return `${subnet.address}/${subnet.prefixLength}`;
  },
};
