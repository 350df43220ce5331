import { Ipv4Address } from "../address/ipv4-address.ts";
import { MacAddress } from "../address/mac-address.ts";
import { WireError } from "../bytes/wire-error.ts";

import { JsonFields } from "../control/json-fields.ts";

/** One (group, port) pair of a multicast probe. */
export type ProbePair = { readonly group: Ipv4Address; readonly port: number };

/** What an agent is asked to try, each through a socket of the flow it stands for. */
export type ProbeOrder =
  /** A new connection to the control port, TLS with the site key checked, and nothing said. */
  | { readonly kind: "control"; readonly port: number }
  /** TCP ports that must not be reached from here. */
  | { readonly kind: "closed-ports"; readonly ports: readonly number[] }
  /** Part of a boot file, both ends included. */
  | {
      readonly kind: "http";
      readonly port: number;
      readonly path: string;
      readonly firstByte: number;
      readonly lastByte: number;
    }
  /**
   * One read for each block size, and one request of each total size that may not be fragmented: what arrives tells
   * the path MTU in both directions.
   */
  | {
      readonly kind: "tftp";
      readonly fileName: string;
      readonly blockSizes: readonly number[];
      readonly requestSizes: readonly number[];
    }
  /** A DISCOVER as PXE firmware sends it, with a MAC that is nobody's. */
  | { readonly kind: "dhcp"; readonly mac: MacAddress; readonly transactionId: number }
  | { readonly kind: "boot-server"; readonly mac: MacAddress; readonly transactionId: number }
  | {
      readonly kind: "discovery";
      readonly group: Ipv4Address;
      readonly port: number;
      readonly ttl: number;
      /** Hex. */
      readonly nonce: string;
    }
  | { readonly kind: "transfer"; readonly port: number; readonly ticket: string }
  /** A connection as a remote session makes it, which the server ends once it has seen the ticket. */
  | { readonly kind: "remote"; readonly port: number; readonly ticket: string }
  /**
   * Join every pair, count what comes until `probe-end`, leave, and listen for queries. Not joined: only watch the wire
   * for what is flooded to those who have not asked for it.
   */
  | {
      readonly kind: "multicast";
      readonly token: number;
      readonly isJoined: boolean;
      readonly pairs: readonly ProbePair[];
    }
  /** Wait for a magic packet with this MAC. */
  | { readonly kind: "wake"; readonly port: number; readonly mac: MacAddress };

export type ProbeKind = ProbeOrder["kind"];

/** From the server: try this; and for probes that the server feeds: it has sent everything. */
export type ServerProbeMessage =
  | { readonly type: "probe"; readonly probeId: string; readonly order: ProbeOrder }
  | { readonly type: "probe-end"; readonly probeId: string };

const numberMax = 0xffffffff;

export const probeKinds = [
  "control",
  "closed-ports",
  "http",
  "tftp",
  "dhcp",
  "boot-server",
  "discovery",
  "transfer",
  "remote",
  "multicast",
  "wake",
] as const satisfies readonly ProbeKind[];

/** What the first agents knew, which do not say what they know. */
export const firstProbeKinds: readonly ProbeKind[] = probeKinds.filter((kind) => kind !== "remote");

export const probeBounds = {
  pairCountMax: 64,
  sizeCountMax: 16,
  portCountMax: 32,
  idCharactersMax: 64,
} as const;

function decodeMac(fields: JsonFields): MacAddress {
  return MacAddress.parse(fields.text("mac", 17));
}

function decodePair(value: unknown): ProbePair {
  const fields = new JsonFields(value, "pair");
  return { group: decodeGroup(fields), port: fields.integer("port", 1, 65535) };
}

function decodeGroup(fields: JsonFields): Ipv4Address {
  const group = Ipv4Address.parse(fields.text("group", 15));
  if (!Ipv4Address.isMulticast(group)) {
    throw new WireError({ code: "bad-value", field: "group", offset: 0, detail: group });
  }
  return group;
}

/** A list of whole numbers. */
export function decodeNumbers(fields: JsonFields, field: string, from: number, to: number): number[] {
  return fields.list(field, probeBounds.sizeCountMax * 2, (value) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < from || value > to) {
      throw new WireError({ code: "bad-value", field, offset: 0 });
    }
    return value;
  });
}

function decodeOrder(fields: JsonFields): ProbeOrder {
  const kind = fields.choice("kind", probeKinds);
  switch (kind) {
    case "control":
      return { kind, port: fields.integer("port", 1, 65535) };
    case "closed-ports":
      return { kind, ports: decodeNumbers(fields, "ports", 1, 65535) };
    case "http":
      return {
        kind,
        port: fields.integer("port", 1, 65535),
        path: fields.text("path", 256),
        firstByte: fields.integer("firstByte", 0, numberMax),
        lastByte: fields.integer("lastByte", 0, numberMax),
      };
    case "tftp":
      return {
        kind,
        fileName: fields.text("fileName", 128),
        blockSizes: decodeNumbers(fields, "blockSizes", 8, 65_464),
        requestSizes: decodeNumbers(fields, "requestSizes", 64, 1500),
      };
    case "dhcp":
    case "boot-server":
      return { kind, mac: decodeMac(fields), transactionId: fields.integer("transactionId", 0, numberMax) };
    case "discovery":
      return {
        kind,
        group: decodeGroup(fields),
        port: fields.integer("port", 1, 65535),
        ttl: fields.integer("ttl", 1, 255),
        nonce: fields.text("nonce", 32),
      };
    case "transfer":
    case "remote":
      return { kind, port: fields.integer("port", 1, 65535), ticket: fields.text("ticket", 128) };
    case "multicast":
      return {
        kind,
        token: fields.integer("token", 0, numberMax),
        isJoined: fields.flag("isJoined"),
        pairs: fields.list("pairs", probeBounds.pairCountMax, decodePair),
      };
    case "wake":
      return { kind, port: fields.integer("port", 1, 65535), mac: decodeMac(fields) };
  }
}

/** @throws WireError `bad-value` */
export function decodeServerProbeMessage(type: string, fields: JsonFields): ServerProbeMessage {
  const probeId = fields.text("probeId", probeBounds.idCharactersMax);
  return type === "probe"
    ? { type, probeId, order: decodeOrder(fields.fields("order")) }
    : { type: "probe-end", probeId };
}
