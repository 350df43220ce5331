import { WireError } from "../bytes/wire-error.ts";

function refuse(field: string, detail: string): never {
  throw new WireError({ code: "bad-value", field, offset: 0, detail });
}

/** Controls and format marks: C0, C1, and the marks that turn the direction of text around. */
const controlCharacters = /[\p{Cc}\p{Cf}\u2028\u2029]/u;
const controlCharactersButLines = /(?![\n\t])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * Makes text of unknown origin fit for a message: control characters but line ends and tabs become visible escapes, and
 * what is too long is cut at its beginning when `keep` is `end`.
 */
export function toSafeText(text: string, charactersMax: number, keep: "start" | "end" = "start"): string {
  const safe = text
    .toWellFormed()
    .replaceAll("\r\n", "\n")
    .replaceAll(
      controlCharactersButLines,
      (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
    );
  return keep === "start"
    ? safe.slice(0, charactersMax)
    : safe.slice(Math.max(0, safe.length - charactersMax));
}

/** Typed, bounded access to the fields of one JSON object. Unknown fields are ignored, for later versions. */
export class JsonFields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #name: string;

  /** @throws WireError `bad-value` when `value` is no object */
  constructor(value: unknown, name: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      refuse(name, "not an object");
    }
    this.#object = value as Readonly<Record<string, unknown>>;
    this.#name = name;
  }

  /** One line without control characters. */
  text(field: string, charactersMax: number): string {
    const value = this.#bounded(field, charactersMax);
    if (controlCharacters.test(value)) {
      refuse(`${this.#name}.${field}`, "has control characters");
    }
    return value;
  }

  textOrNull(field: string, charactersMax: number): string | null {
    const value = this.#object[field];
    return value === undefined || value === null ? null : this.text(field, charactersMax);
  }

  /** Text for people, of several lines perhaps. Control characters are made visible: no terminal obeys them. */
  prose(field: string, charactersMax: number): string {
    return toSafeText(this.#bounded(field, charactersMax), charactersMax);
  }

  proseOrNull(field: string, charactersMax: number): string | null {
    const value = this.#object[field];
    return value === undefined || value === null ? null : this.prose(field, charactersMax);
  }

  /** Text for people on one line, such as what firmware says about itself. Control characters are made visible. */
  labelOrNull(field: string, charactersMax: number): string | null {
    return this.proseOrNull(field, charactersMax)?.replaceAll(/\s+/g, " ") ?? null;
  }

  /** Content that is passed on as it is, such as a script. */
  content(field: string, charactersMax: number): string {
    return this.#bounded(field, charactersMax);
  }

  #bounded(field: string, charactersMax: number): string {
    const value = this.#object[field];
    if (typeof value !== "string" || value.length > charactersMax) {
      refuse(`${this.#name}.${field}`, `not a text of at most ${charactersMax} characters`);
    }
    return value;
  }

  integer(field: string, from: number, to: number): number {
    const value = this.#object[field];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < from || value > to) {
      refuse(`${this.#name}.${field}`, `not a whole number from ${from} to ${to}`);
    }
    return value;
  }

  flag(field: string): boolean {
    const value = this.#object[field];
    if (typeof value !== "boolean") {
      refuse(`${this.#name}.${field}`, "not true or false");
    }
    return value;
  }

  choice<Word extends string>(field: string, words: readonly Word[]): Word {
    const text = this.text(field, 64);
    const word = words.find((candidate) => candidate === text);
    return word ?? refuse(`${this.#name}.${field}`, `not one of ${words.join(", ")}`);
  }

  texts(field: string, countMax: number, charactersMax: number): string[] {
    return this.list(field, countMax, (item) => {
      if (typeof item !== "string" || item.length > charactersMax || controlCharacters.test(item)) {
        refuse(`${this.#name}.${field}`, `not a list of texts of at most ${charactersMax} characters`);
      }
      return item;
    });
  }

  list<Item>(field: string, countMax: number, decode: (item: unknown) => Item): Item[] {
    const value = this.#object[field];
    if (!Array.isArray(value) || value.length > countMax) {
      refuse(`${this.#name}.${field}`, `not a list of at most ${countMax}`);
    }
    return value.map(decode);
  }

  fields(field: string): JsonFields {
    return new JsonFields(this.#object[field], `${this.#name}.${field}`);
  }

  /** The raw value, for content whose decoder is chosen by another field. */
  raw(field: string): unknown {
    return this.#object[field];
  }
}
