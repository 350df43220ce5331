import { Ipv4Address } from "../address/ipv4-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import type { JsonFields } from "./json-fields.ts";

/** Chunks or blocks by number, as `from` and `count`, in order. */
export type Ranges = readonly (readonly [from: number, count: number])[];

/** What a receiver lacks of one chunk whose blocks did not all arrive. */
export type MissingBlocks = readonly [chunk: number, blocks: Ranges];

/** All about one imaging session, over the authenticated control connection. Multicast carries data alone. */
export type AgentImagingMessage =
  /** Ready for a session: these chunks of the image are wanted. */
  | { readonly type: "imaging-join"; readonly key: string; readonly wanted: Ranges }
  /** The group is joined, data may come. */
  | { readonly type: "imaging-ready"; readonly sessionId: number }
  | {
      readonly type: "imaging-report";
      readonly sessionId: number;
      /** Highest sequence number seen; 0 before the first. */
      readonly sequence: number;
      /** Datagrams missing below that number, since the session began. */
      readonly lost: number;
    }
  /** The answer to `imaging-round-end`. Empty: nothing of that round is lacking. */
  | {
      readonly type: "imaging-missing";
      readonly sessionId: number;
      readonly round: number;
      readonly chunks: Ranges;
      readonly blocks: readonly MissingBlocks[];
    }
  /** Everything has arrived and is genuine. */
  | { readonly type: "imaging-done"; readonly sessionId: number };

export type ServerImagingMessage =
  | {
      readonly type: "imaging-session";
      readonly key: string;
      readonly sessionId: number;
      readonly group: Ipv4Address;
      readonly port: number;
      /** Of every datagram of the session: where joined datagrams end. */
      readonly blockSizeBytes: number;
      /** AES-256 key of this session, base64. */
      readonly sessionKey: string;
    }
  /** These chunks have been sent by that sequence number: which are lacking? */
  | {
      readonly type: "imaging-round-end";
      readonly sessionId: number;
      readonly round: number;
      readonly sequence: number;
      readonly chunks: Ranges;
    }
  /** Fetch what is lacking over the transfer connection. */
  | { readonly type: "imaging-use-unicast"; readonly key: string; readonly reason: string };

const rangeCountMax = 65_536;
const numberMax = 0xffffffff;

function decodeRange(value: unknown): readonly [number, number] {
  if (Array.isArray(value) && value.length === 2) {
    const [from, count] = value as unknown[];
    const isNumber = (item: unknown): item is number =>
      typeof item === "number" && Number.isSafeInteger(item) && item >= 0 && item <= numberMax;
    if (isNumber(from) && isNumber(count)) {
      return [from, count];
    }
  }
  throw new WireError({ code: "bad-value", field: "range", offset: 0 });
}

function decodeMissing(value: unknown): MissingBlocks {
  if (Array.isArray(value) && value.length === 2) {
    const [chunk, blocks] = value as unknown[];
    if (typeof chunk === "number" && Array.isArray(blocks) && blocks.length <= 4096) {
      return [chunk, blocks.map(decodeRange)];
    }
  }
  throw new WireError({ code: "bad-value", field: "missing blocks", offset: 0 });
}

/** @throws WireError `bad-value` */
export function decodeAgentImagingMessage(type: string, fields: JsonFields): AgentImagingMessage {
  switch (type) {
    case "imaging-join":
      return {
        type,
        key: fields.text("key", 256),
        wanted: fields.list("wanted", rangeCountMax, decodeRange),
      };
    case "imaging-ready":
    case "imaging-done":
      return { type, sessionId: fields.integer("sessionId", 0, numberMax) };
    case "imaging-report":
      return {
        type,
        sessionId: fields.integer("sessionId", 0, numberMax),
        sequence: fields.integer("sequence", 0, numberMax),
        lost: fields.integer("lost", 0, numberMax),
      };
    case "imaging-missing":
      return {
        type,
        sessionId: fields.integer("sessionId", 0, numberMax),
        round: fields.integer("round", 0, numberMax),
        chunks: fields.list("chunks", rangeCountMax, decodeRange),
        blocks: fields.list("blocks", 4096, decodeMissing),
      };
    default:
      throw new WireError({
        code: "bad-value",
        field: "message.type",
        offset: 0,
        detail: JSON.stringify(type),
      });
  }
}

/** @throws WireError `bad-value` */
export function decodeServerImagingMessage(type: string, fields: JsonFields): ServerImagingMessage {
  switch (type) {
    case "imaging-session":
      return {
        type,
        key: fields.text("key", 256),
        sessionId: fields.integer("sessionId", 0, numberMax),
        group: Ipv4Address.parse(fields.text("group", 15)),
        port: fields.integer("port", 1, 65535),
        blockSizeBytes: fields.integer("blockSizeBytes", 64, 65_000),
        sessionKey: fields.text("sessionKey", 64),
      };
    case "imaging-round-end":
      return {
        type,
        sessionId: fields.integer("sessionId", 0, numberMax),
        round: fields.integer("round", 0, numberMax),
        sequence: fields.integer("sequence", 0, numberMax),
        chunks: fields.list("chunks", rangeCountMax, decodeRange),
      };
    case "imaging-use-unicast":
      return { type, key: fields.text("key", 256), reason: fields.prose("reason", 1024) };
    default:
      throw new WireError({
        code: "bad-value",
        field: "message.type",
        offset: 0,
        detail: JSON.stringify(type),
      });
  }
}

/** Ascending numbers as ranges. */
export function toRanges(numbers: Iterable<number>): Ranges {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && last[0] + last[1] === number) {
      last[1] += 1;
    } else {
      ranges.push([number, 1]);
    }
  }
  return ranges;
}

/** The numbers of ranges below `limit`, ascending. */
export function* fromRanges(ranges: Ranges, limit: number): Generator<number> {
  for (const [from, count] of ranges) {
    for (let number = from; number < Math.min(from + count, limit); number += 1) {
      yield number;
    }
  }
}
