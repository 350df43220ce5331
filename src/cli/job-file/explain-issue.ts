import { z } from "zod";
import { nearestWord } from "#plan/nearest.ts";

type Issue = z.core.$ZodIssue;
type JsonSchema = {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly propertyNames?: { readonly enum?: readonly string[] };
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly const?: unknown;
};

/** What is wrong in words, and the key that is, where it is a key. */
export type Explanation = { readonly message: string; readonly key: string | null };

/** Types as people who write files call them. */
const typeWords: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of keys",
  record: "a group of keys",
};

function suggest(typed: string, words: readonly string[]): string {
  const nearest = nearestWord(typed, words);
  return nearest === null
    ? words.length === 0
      ? ""
      : `; there are ${words.join(", ")}`
    : `; did you mean ${nearest}?`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of path) {
    current =
      typeof current === "object" && current !== null
        ? (current as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined;
  }
  return current;
}

/** The branches of a schema that a value can mean: of tasks, the one of its kind. */
function branchesFor(schema: JsonSchema, value: unknown): readonly JsonSchema[] {
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches === undefined) {
    return [schema];
  }
  const nested = branches.flatMap((branch) => branchesFor(branch, value));
  const kind = valueAt(value, ["kind"]) ?? valueAt(value, ["type"]);
  const ofKind = nested.filter(
    ({ properties }) => (properties?.["kind"] ?? properties?.["type"])?.const === kind,
  );
  return kind !== undefined && ofKind.length > 0 ? ofKind : nested;
}

/** Keys that may stand at a place of the value. */
function knownKeys(schema: JsonSchema, value: unknown, path: readonly PropertyKey[]): string[] {
  let schemas: readonly JsonSchema[] = branchesFor(schema, value);
  for (const [index, key] of path.entries()) {
    const inside = valueAt(value, path.slice(0, index + 1));
    schemas = schemas
      .map((item) => (typeof key === "number" ? item.items : item.properties?.[String(key)]))
      .filter((item) => item !== undefined)
      .flatMap((item) => branchesFor(item, inside));
  }
  const keys = schemas.flatMap(({ properties, propertyNames }) => [
    ...Object.keys(properties ?? {}),
    ...(propertyNames?.enum ?? []),
  ]);
  return [...new Set(keys)];
}

/**
 * An issue of a schema as a sentence that names the thing and the way out, with the nearest word where one was mistyped.
 *
 * @param value the whole value that was checked
 */
export function explainIssue(issue: Issue, value: unknown, schema: z.ZodType): Explanation {
  const shape = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  if (issue.code === "unrecognized_keys") {
    const [key = ""] = issue.keys;
    const words = knownKeys(shape, value, issue.path);
    return { message: `${key} is not known here${suggest(key, words)}`, key };
  }
  if (issue.code === "invalid_union" && issue.errors.length === 0) {
    const given = valueAt(value, issue.path);
    const words = "options" in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    const name = String(issue.path.at(-1) ?? "value");
    return typeof given === "string"
      ? { message: `there is no ${name} ${given}${suggest(given, words)}`, key: null }
      : { message: `${name} is missing${suggest("", words)}`, key: null };
  }
  if (issue.code === "invalid_union") {
    // The branch that came furthest says best what is wrong.
    const [nearest = []] = issue.errors.toSorted((a, b) => a.length - b.length);
    const unknown = issue.errors.flat().find(({ code }) => code === "unrecognized_keys");
    const inner = unknown ?? nearest[0];
    return inner === undefined
      ? { message: issue.message, key: null }
      : explainIssue({ ...inner, path: [...issue.path, ...inner.path] }, value, schema);
  }
  if (issue.code === "invalid_key") {
    return { message: issue.issues[0]?.message ?? issue.message, key: String(issue.path.at(-1)) };
  }
  if (issue.code === "invalid_value") {
    const given = valueAt(value, issue.path);
    const words = issue.values.map(String);
    return { message: `is not ${words.join(" or ")}${suggest(String(given), words)}`, key: null };
  }
  if (issue.code === "invalid_type") {
    const given = valueAt(value, issue.path);
    // A schema's own words say more than its type.
    const isPlain = issue.message.startsWith("Invalid input");
    const message = isPlain ? `is not ${typeWords[issue.expected] ?? issue.expected}` : issue.message;
    return { message: given === undefined ? "is missing" : message, key: null };
  }
  return { message: issue.message, key: null };
}
