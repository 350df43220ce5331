/** Reasons a decoder rejects bytes. A decoder throws nothing but `WireError`. */
export type WireErrorCode =
  | "truncated"
  | "bad-magic"
  | "bad-length"
  | "bad-value"
  | "unsupported-version"
  | "too-long"
  | "option-past-end"
  | "trailing-bytes";

export type WireErrorFacts = {
  readonly code: WireErrorCode;
  /** Name of the field in the specification's words, e.g. `options` or `DATA block`. */
  readonly field: string;
  /** Byte offset of the field inside the decoded message. */
  readonly offset: number;
  readonly needBytes?: number;
  readonly haveBytes?: number;
  readonly detail?: string;
};

/** The only error a decoder raises: names the field and where it stood. */
export class WireError extends Error {
  readonly code: WireErrorCode;
  readonly facts: WireErrorFacts;

  constructor(facts: WireErrorFacts) {
    const sizes =
      facts.needBytes === undefined ? "" : `, needs ${facts.needBytes} bytes, has ${facts.haveBytes}`;
    const detail = facts.detail === undefined ? "" : `: ${facts.detail}`;
    super(`${facts.code} in ${facts.field} at offset ${facts.offset}${sizes}${detail}`);
    this.name = "WireError";
    this.code = facts.code;
    this.facts = facts;
  }
}
