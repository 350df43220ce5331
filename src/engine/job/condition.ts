/** What is known of a computer when its run starts. A list holds when one of its values does. */
export type FactValue = string | number | boolean | null | readonly string[];
export type Facts = Readonly<Record<string, FactValue>>;

export const factNames = [
  "name",
  "hostName",
  "model",
  "serial",
  "uuid",
  "mac",
  "address",
  "segment",
  "environment",
  "firmware",
  "secureBoot",
  "processor",
  "processorCount",
  "memoryBytes",
  "diskCount",
  "diskBytes",
  "diskModel",
  "operatingSystem",
  "package",
  "user",
] as const;
export type FactName = (typeof factNames)[number];

/** A test of one fact. Text compares without regard to case; `*` stands for any text. */
export type FactTest =
  | { readonly type: "is"; readonly patterns: readonly string[] }
  | { readonly type: "flag"; readonly value: boolean }
  | {
      readonly type: "compare";
      readonly operator: "<" | "<=" | ">" | ">=" | "=";
      readonly value: number;
    };

/** Holds when one of its groups does; a group holds when all of its tests do. */
export type Condition = readonly (readonly {
  readonly fact: FactName;
  readonly test: FactTest;
}[])[];

export function holds(condition: Condition, facts: Facts): boolean {
  return condition.some((group) => group.every(({ fact, test }) => passes(test, facts[fact] ?? null)));
}

function passes(test: FactTest, value: FactValue): boolean {
  // What is not known fulfils nothing: a job must not take a computer for another.
  if (value === null) {
    return false;
  }
  switch (test.type) {
    case "flag":
      return value === test.value;
    case "compare":
      return typeof value === "number" && compare(value, test.operator, test.value);
    case "is": {
      const texts = Array.isArray(value) ? (value as readonly string[]) : [String(value)];
      return texts.some((text) => test.patterns.some((pattern) => matches(text, pattern)));
    }
  }
}

function compare(value: number, operator: "<" | "<=" | ">" | ">=" | "=", bound: number): boolean {
  switch (operator) {
    case "<":
      return value < bound;
    case "<=":
      return value <= bound;
    case ">":
      return value > bound;
    case ">=":
      return value >= bound;
    case "=":
      return value === bound;
  }
}

/** Linear in the text for each star: no pattern of an operator can make the server slow. */
function matches(text: string, pattern: string): boolean {
  const parts = pattern.toLowerCase().split("*");
  const whole = text.toLowerCase();
  const [first = ""] = parts;
  if (parts.length === 1) {
    return whole === first;
  }
  const last = parts.at(-1) ?? "";
  if (!whole.startsWith(first) || !whole.endsWith(last) || whole.length < first.length + last.length) {
    return false;
  }
  let from = first.length;
  const end = whole.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const at = whole.indexOf(part, from);
    if (at === -1 || at + part.length > end) {
      return false;
    }
    from = at + part.length;
  }
  return true;
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** `>= 8 GiB`, `< 4`, `= 2`: `null` when the text is no comparison. */
export function parseComparison(text: string): FactTest | null {
  const match = /^(<=|>=|<|>|=)\s*(\d+(?:\.\d+)?)\s*([KMGT]i?B)?$/.exec(text.trim());
  const [, operator, number, unit = ""] = match ?? [];
  const factor = units[unit];
  if (operator === undefined || number === undefined || factor === undefined) {
    return null;
  }
  return { type: "compare", operator: operator as "<", value: Number(number) * factor };
}

/** A test as an operator writes it: a text or a list of texts, a number, true or false, or a comparison. */
export function parseFactTest(written: string | number | boolean | readonly string[]): FactTest {
  if (typeof written === "boolean") {
    return { type: "flag", value: written };
  }
  if (typeof written === "number") {
    return { type: "compare", operator: "=", value: written };
  }
  return typeof written === "string"
    ? (parseComparison(written) ?? { type: "is", patterns: [written] })
    : { type: "is", patterns: written };
}
