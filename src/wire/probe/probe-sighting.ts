import { Ipv4Address } from "../address/ipv4-address.ts";
import { WireError } from "../bytes/wire-error.ts";
import { JsonFields } from "../control/json-fields.ts";
import { probeBounds, probeKinds } from "./probe-order.ts";

/** How a TCP connection went. `silent`: no answer in time. `unreachable`: a router or this host said so. */
export type TcpSighting = {
  readonly state: "open" | "refused" | "silent" | "unreachable" | "broken";
  /** From the first packet to the verdict. */
  readonly elapsedMs: number;
  /** Our end, `address:port`; `null` without a connection. */
  readonly localEnd: string | null;
  /** What went wrong after it was open, or the system's word for why it was not. */
  readonly detail: string | null;
};

export type TftpReadSighting = {
  readonly blockSizeBytes: number;
  readonly outcome: "complete" | "no-answer" | "no-data" | "refused" | "wrong-content";
  readonly elapsedMs: number;
  /** The port the server answered from; `null` without an answer. */
  readonly serverPort: number | null;
  /** The block size the server agreed to. */
  readonly agreedSizeBytes: number | null;
  readonly receivedBytes: number;
  readonly detail: string | null;
};

/** An offer heard by the prober. */
export type OfferSighting = {
  readonly sourceAddress: Ipv4Address;
  /** Option 54. */
  readonly serverIdentifier: Ipv4Address | null;
  /** `yiaddr`; 0.0.0.0 in a boot server's offer. */
  readonly yourAddress: Ipv4Address;
  /** `siaddr` */
  readonly serverAddress: Ipv4Address;
  readonly relayAddress: Ipv4Address;
  readonly bootFile: string | null;
  readonly isBootServer: boolean;
  readonly subnetMask: Ipv4Address | null;
  readonly router: Ipv4Address | null;
  /** Which of our DISCOVERs it answers first, from 0. */
  readonly attempt: number;
  readonly elapsedMs: number;
};

/** How many had this value. */
export type ProbeCount = { readonly value: number; readonly count: number };

export type PairSighting = {
  readonly group: Ipv4Address;
  readonly port: number;
  readonly received: number;
  /** Highest sequence number seen. */
  readonly highestSequence: number;
  readonly reordered: number;
  readonly duplicates: number;
  readonly sourceAddress: Ipv4Address | null;
  /** Datagrams that arrived, by the TTL their sender gave them. */
  readonly byTtl: readonly ProbeCount[];
  /** Datagrams that arrived, by the size of the whole IP packet. */
  readonly bySize: readonly ProbeCount[];
};

/** What was read from the wire itself; `null` where the system does not let us. */
export type WireSighting = {
  /** Routers on the way, by what was left of the TTL on arrival; `null` when no datagram was seen. */
  readonly routerCount: number | null;
  readonly queryCount: number;
  readonly querierAddress: Ipv4Address | null;
  /** Datagrams of a group that arrived while nobody here had joined it. */
  readonly floodedCount: number;
  /** Datagrams of the server by the state of their UDP checksum. */
  readonly rightChecksums: number;
  readonly wrongChecksums: number;
  readonly fragmentCount: number;
  /** Forward delay that a spanning tree bridge announces on this port, seconds; `null`: none was heard. */
  readonly forwardDelaySeconds: number | null;
};

export type ProbeSighting =
  | { readonly kind: "control"; readonly tcp: TcpSighting; readonly tlsMs: number | null }
  | { readonly kind: "closed-ports"; readonly ports: readonly (TcpSighting & { readonly port: number })[] }
  | {
      readonly kind: "http";
      readonly tcp: TcpSighting;
      readonly status: number | null;
      readonly receivedBytes: number;
      /** SHA-256 of the part, hex. */
      readonly sha256: string | null;
      readonly elapsedMs: number;
    }
  | {
      readonly kind: "tftp";
      readonly reads: readonly TftpReadSighting[];
      /** Sizes of unfragmentable requests, whole IP packets, that were answered. */
      readonly answeredSizes: readonly number[];
      /** Fragments that came from the server; `null` where the wire cannot be watched. */
      readonly fragmentCount: number | null;
    }
  | { readonly kind: "dhcp"; readonly sentCount: number; readonly offers: readonly OfferSighting[] }
  | { readonly kind: "boot-server"; readonly sentCount: number; readonly offers: readonly OfferSighting[] }
  | {
      readonly kind: "discovery";
      readonly sentCount: number;
      readonly elapsedMs: number | null;
      readonly answerAddress: Ipv4Address | null;
      readonly sourceAddress: Ipv4Address | null;
      readonly isSignatureRight: boolean;
    }
  | {
      readonly kind: "transfer";
      readonly tcp: TcpSighting;
      readonly receivedBytes: number;
      readonly sha256: string | null;
      readonly elapsedMs: number;
    }
  /** `elapsedMs`: until the server had seen the ticket and ended the connection. */
  | { readonly kind: "remote"; readonly tcp: TcpSighting; readonly elapsedMs: number }
  | {
      readonly kind: "multicast";
      readonly pairs: readonly PairSighting[];
      readonly wire: WireSighting | null;
    }
  | { readonly kind: "wake"; readonly receivedCount: number; readonly sourceAddress: Ipv4Address | null };

export type AgentProbeMessage =
  /** The sockets are open, and groups joined: the server may send. */
  | { readonly type: "probe-ready"; readonly probeId: string }
  | {
      readonly type: "probe-result";
      readonly probeId: string;
      /** `null`: it could not be tried, see `reason`. */
      readonly sighting: ProbeSighting | null;
      readonly reason: string | null;
    };

const countMax = 1_000_000;
const elapsedMsMax = 600_000;
const offerCountMax = 64;

function integerOrNull(fields: JsonFields, field: string, from: number, to: number): number | null {
  return fields.raw(field) === null ? null : fields.integer(field, from, to);
}

function addressOrNull(fields: JsonFields, field: string): Ipv4Address | null {
  const text = fields.textOrNull(field, 15);
  return text === null ? null : Ipv4Address.parse(text);
}

function elapsed(fields: JsonFields, field = "elapsedMs"): number {
  const value = fields.raw(field);
  if (typeof value !== "number" || !(value >= 0 && value <= elapsedMsMax)) {
    throw new WireError({ code: "bad-value", field, offset: 0 });
  }
  return value;
}

function elapsedOrNull(fields: JsonFields, field: string): number | null {
  return fields.raw(field) === null ? null : elapsed(fields, field);
}

function numbers(fields: JsonFields, field: string, to: number): number[] {
  return fields.list(field, 256, (value) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > to) {
      throw new WireError({ code: "bad-value", field, offset: 0 });
    }
    return value;
  });
}

function decodeTcp(fields: JsonFields): TcpSighting {
  return {
    state: fields.choice("state", ["open", "refused", "silent", "unreachable", "broken"]),
    elapsedMs: elapsed(fields),
    localEnd: fields.textOrNull("localEnd", 21),
    detail: fields.labelOrNull("detail", 256),
  };
}

function decodeTftpRead(value: unknown): TftpReadSighting {
  const fields = new JsonFields(value, "read");
  return {
    blockSizeBytes: fields.integer("blockSizeBytes", 8, 65_464),
    outcome: fields.choice("outcome", ["complete", "no-answer", "no-data", "refused", "wrong-content"]),
    elapsedMs: elapsed(fields),
    serverPort: integerOrNull(fields, "serverPort", 1, 65535),
    agreedSizeBytes: integerOrNull(fields, "agreedSizeBytes", 8, 65_464),
    receivedBytes: fields.integer("receivedBytes", 0, 1 << 30),
    detail: fields.labelOrNull("detail", 256),
  };
}

function decodeOffer(value: unknown): OfferSighting {
  const fields = new JsonFields(value, "offer");
  return {
    sourceAddress: Ipv4Address.parse(fields.text("sourceAddress", 15)),
    serverIdentifier: addressOrNull(fields, "serverIdentifier"),
    yourAddress: Ipv4Address.parse(fields.text("yourAddress", 15)),
    serverAddress: Ipv4Address.parse(fields.text("serverAddress", 15)),
    relayAddress: Ipv4Address.parse(fields.text("relayAddress", 15)),
    bootFile: fields.labelOrNull("bootFile", 256),
    isBootServer: fields.flag("isBootServer"),
    subnetMask: addressOrNull(fields, "subnetMask"),
    router: addressOrNull(fields, "router"),
    attempt: fields.integer("attempt", 0, 16),
    elapsedMs: elapsed(fields),
  };
}

function decodeCount(value: unknown): ProbeCount {
  const fields = new JsonFields(value, "count");
  return { value: fields.integer("value", 0, 65_535), count: fields.integer("count", 0, countMax) };
}

function decodePair(value: unknown): PairSighting {
  const fields = new JsonFields(value, "pair");
  return {
    group: Ipv4Address.parse(fields.text("group", 15)),
    port: fields.integer("port", 1, 65535),
    received: fields.integer("received", 0, countMax),
    highestSequence: fields.integer("highestSequence", 0, countMax),
    reordered: fields.integer("reordered", 0, countMax),
    duplicates: fields.integer("duplicates", 0, countMax),
    sourceAddress: addressOrNull(fields, "sourceAddress"),
    byTtl: fields.list("byTtl", 255, decodeCount),
    bySize: fields.list("bySize", 64, decodeCount),
  };
}

function decodeWire(value: unknown): WireSighting {
  const fields = new JsonFields(value, "wire");
  return {
    routerCount: integerOrNull(fields, "routerCount", 0, 255),
    queryCount: fields.integer("queryCount", 0, countMax),
    querierAddress: addressOrNull(fields, "querierAddress"),
    floodedCount: fields.integer("floodedCount", 0, countMax),
    rightChecksums: fields.integer("rightChecksums", 0, countMax),
    wrongChecksums: fields.integer("wrongChecksums", 0, countMax),
    fragmentCount: fields.integer("fragmentCount", 0, countMax),
    forwardDelaySeconds: integerOrNull(fields, "forwardDelaySeconds", 0, 255),
  };
}

function decodeTcpSighting(
  kind: "control" | "closed-ports" | "http" | "transfer" | "remote",
  fields: JsonFields,
) {
  switch (kind) {
    case "control":
      return { kind, tcp: decodeTcp(fields.fields("tcp")), tlsMs: elapsedOrNull(fields, "tlsMs") };
    case "closed-ports":
      return {
        kind,
        ports: fields.list("ports", probeBounds.portCountMax, (value) => {
          const port = new JsonFields(value, "port");
          return { ...decodeTcp(port), port: port.integer("port", 1, 65535) };
        }),
      };
    case "remote":
      return { kind, tcp: decodeTcp(fields.fields("tcp")), elapsedMs: elapsed(fields) };
    case "http":
    case "transfer": {
      const common = {
        tcp: decodeTcp(fields.fields("tcp")),
        receivedBytes: fields.integer("receivedBytes", 0, 1 << 30),
        sha256: fields.textOrNull("sha256", 64),
        elapsedMs: elapsed(fields),
      };
      return kind === "http"
        ? { kind, ...common, status: integerOrNull(fields, "status", 100, 999) }
        : { kind, ...common };
    }
  }
}

function decodeSighting(fields: JsonFields): ProbeSighting {
  const kind = fields.choice("kind", probeKinds);
  switch (kind) {
    case "control":
    case "closed-ports":
    case "http":
    case "transfer":
    case "remote":
      return decodeTcpSighting(kind, fields);
    case "tftp":
      return {
        kind,
        reads: fields.list("reads", probeBounds.sizeCountMax, decodeTftpRead),
        answeredSizes: numbers(fields, "answeredSizes", 65_535),
        fragmentCount: integerOrNull(fields, "fragmentCount", 0, countMax),
      };
    case "dhcp":
    case "boot-server":
      return {
        kind,
        sentCount: fields.integer("sentCount", 0, 64),
        offers: fields.list("offers", offerCountMax, decodeOffer),
      };
    case "discovery":
      return {
        kind,
        sentCount: fields.integer("sentCount", 0, 64),
        elapsedMs: elapsedOrNull(fields, "elapsedMs"),
        answerAddress: addressOrNull(fields, "answerAddress"),
        sourceAddress: addressOrNull(fields, "sourceAddress"),
        isSignatureRight: fields.flag("isSignatureRight"),
      };
    case "multicast": {
      const wire = fields.raw("wire");
      return {
        kind,
        pairs: fields.list("pairs", probeBounds.pairCountMax, decodePair),
        wire: wire === null ? null : decodeWire(wire),
      };
    }
    case "wake":
      return {
        kind,
        receivedCount: fields.integer("receivedCount", 0, countMax),
        sourceAddress: addressOrNull(fields, "sourceAddress"),
      };
  }
}

/** @throws WireError `bad-value` */
export function decodeAgentProbeMessage(type: string, fields: JsonFields): AgentProbeMessage {
  const probeId = fields.text("probeId", probeBounds.idCharactersMax);
  if (type === "probe-ready") {
    return { type, probeId };
  }
  const isSeen = fields.raw("sighting") !== null;
  return {
    type: "probe-result",
    probeId,
    sighting: isSeen ? decodeSighting(fields.fields("sighting")) : null,
    reason: fields.proseOrNull("reason", 512),
  };
}
