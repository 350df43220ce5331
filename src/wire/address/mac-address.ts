import { WireError } from "../bytes/wire-error.ts";

/** A six-byte Ethernet address as lower-case text, `52:54:00:12:34:56`. */
export type MacAddress = string & { readonly __brand: "MacAddress" };

const pattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

export const MacAddress = {
  sizeBytes: 6,

  /** Accepts `:` or `-` between bytes, or none, in either case. @throws WireError `bad-value` */
  parse(text: string): MacAddress {
    const bare = text.trim().toLowerCase().replaceAll(/[:-]/g, "");
    const joined = bare.match(/../g)?.join(":") ?? "";
    if (bare.length !== 12 || !pattern.test(joined)) {
      throw new WireError({
        code: "bad-value",
        field: "MAC address",
        offset: 0,
        detail: JSON.stringify(text),
      });
    }
    return joined as MacAddress;
  },

  fromBytes(bytes: Uint8Array): MacAddress {
    if (bytes.byteLength !== 6) {
      throw new WireError({
        code: "bad-length",
        field: "MAC address",
        offset: 0,
        needBytes: 6,
        haveBytes: bytes.byteLength,
      });
    }
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":") as MacAddress;
  },

  toBytes(mac: MacAddress): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(mac.split(":"), (pair) => Number.parseInt(pair, 16));
  },
};
