import type { Ipv4Address } from "#wire/address/ipv4-address.ts";
import type { GetServerAnswer } from "#wire/discovery/get-server.ts";

/** Where a server listens. */
export type ServerPlace = { readonly address: Ipv4Address; readonly port: number };

/** What the edge found out about an answer's key and signature, which need a crypto library. */
export type AnswerCheck = {
  /** SHA-256 of the answer's key, hex. */
  readonly fingerprint: string;
  readonly isSignatureValid: boolean;
};

export type SearchOptions = {
  readonly group: Ipv4Address;
  readonly port: number;
  readonly siteKeyFingerprint: string;
};

/** Where to ask, and through how many routers. */
export type DiscoverySettings = Pick<SearchOptions, "group" | "port"> & { readonly ttl: number };

export type SearchFailure =
  | "no-answer"
  /** Someone answered, but not for the site this agent belongs to. */
  | "wrong-site-key"
  | "bad-signature";

export type SearchOutput =
  | { readonly type: "ask"; readonly nonce: Uint8Array }
  | {
      readonly type: "found";
      readonly place: ServerPlace;
      readonly serverName: string;
      readonly isKnown: boolean;
    }
  | { readonly type: "failed"; readonly reason: SearchFailure; readonly explanation: string };

export type IgnoredAnswer = { readonly type: "ignore"; readonly reason: "foreign-nonce" | SearchFailure };

/** Questions, and how long each waits for its answer. Three seconds in all: booting computers wait for this. */
const waitsMs = [250, 500, 1000, 1250] as const;

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && left.every((byte, index) => byte === right[index]);
}

/**
 * One search for the server of this segment by multicast. An answer counts when it repeats one of our nonces, its key is
 * the pinned one and its signature is right; whoever answers first with another key delays nothing.
 */
export class ServerSearch {
  readonly #options: SearchOptions;
  readonly #nonces: readonly Uint8Array[];
  readonly #asked: Uint8Array[] = [];
  #waitUntilMs = 0;
  #isOver = false;
  #refused: Exclude<SearchFailure, "no-answer"> | null = null;
  #refusedFrom: Ipv4Address | null = null;

  /** Takes as many random nonces as there are questions: `ServerSearch.questionCount`. */
  constructor(options: SearchOptions, nonces: readonly Uint8Array[]) {
    this.#options = options;
    this.#nonces = nonces;
  }

  static readonly questionCount: number = waitsMs.length;

  /** When `advance` has something to do next; `null` when the search is over. */
  get wakeAtMs(): number | null {
    return this.#isOver ? null : this.#waitUntilMs;
  }

  /** The next question when its time has come, or the end. */
  advance(nowMs: number): SearchOutput | null {
    if (this.#isOver || nowMs < this.#waitUntilMs) {
      return null;
    }
    const number = this.#asked.length;
    const nonce = this.#nonces[number];
    const waitMs = waitsMs[number];
    if (nonce === undefined || waitMs === undefined) {
      this.#isOver = true;
      return this.#fail();
    }
    this.#asked.push(nonce);
    this.#waitUntilMs = nowMs + waitMs;
    return { type: "ask", nonce };
  }

  /** What an answer means. */
  receive(
    answer: GetServerAnswer,
    check: AnswerCheck,
    from: Ipv4Address,
  ): Extract<SearchOutput, { type: "found" }> | IgnoredAnswer {
    if (!this.#asked.some((nonce) => equalBytes(nonce, answer.nonce))) {
      return { type: "ignore", reason: "foreign-nonce" };
    }
    if (check.fingerprint !== this.#options.siteKeyFingerprint) {
      return this.#ignore("wrong-site-key", from);
    }
    if (!check.isSignatureValid) {
      return this.#ignore("bad-signature", from);
    }
    this.#isOver = true;
    const { address, port, serverName, isKnown } = answer;
    return { type: "found", place: { address, port }, serverName, isKnown };
  }

  #ignore(reason: Exclude<SearchFailure, "no-answer">, from: Ipv4Address): IgnoredAnswer {
    this.#refused = reason;
    this.#refusedFrom = from;
    return { type: "ignore", reason };
  }

  #fail(): SearchOutput {
    const { group, port } = this.#options;
    const where = `${group}, UDP port ${port}`;
    switch (this.#refused) {
      case "wrong-site-key":
        return {
          type: "failed",
          reason: "wrong-site-key",
          explanation: `${this.#refusedFrom} answered on ${where}, but with another site's key; it is not trusted. If it is the right server, set its siteKey here`,
        };
      case "bad-signature":
        return {
          type: "failed",
          reason: "bad-signature",
          explanation: `${this.#refusedFrom} answered on ${where} in the name of this site, but its signature is wrong; it is not trusted`,
        };
      case null:
        return {
          type: "failed",
          reason: "no-answer",
          explanation: `no server answered on ${where} after ${waitsMs.length} questions. Either the server is on another segment and routers do not pass this group, or discovery is off there, or its group or port is another; set the server's address here instead`,
        };
    }
  }
}
