import { type Document, isMap, isNode, isPair, isScalar, isSeq, type LineCounter } from "yaml";

/** Finds the line of a value, or of a key, in the text of a job file. `null` when it cannot be told. */
export type Locate = (path: readonly PropertyKey[], key: string | null) => number | null;

/** In YAML and JSON every value knows where it stands. */
export function locateInYaml(document: Document, lines: LineCounter): Locate {
  const lineOf = (node: unknown): number | null =>
    isNode(node) && node.range !== null && node.range !== undefined
      ? lines.linePos(node.range[0]).line
      : null;
  return (path, key) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = nodeAt(document, path.slice(0, length));
      // A value that is missing is at the line of what it is missing from.
      if (isNode(node)) {
        const pairs = isMap(node) ? node.items : [];
        const named = pairs.find(
          (pair) => isPair(pair) && isScalar(pair.key) && String(pair.key.value) === key,
        );
        return lineOf(named?.key) ?? keyLine(document, path.slice(0, length), lines) ?? lineOf(node);
      }
    }
    return null;
  };
}

/** The line of `name:` says more than that of the value under it. */
function keyLine(document: Document, path: readonly PropertyKey[], lines: LineCounter): number | null {
  const parent = nodeAt(document, path.slice(0, -1));
  const pairs = isMap(parent) ? parent.items : [];
  const pair = pairs.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)));
  const key: unknown = pair?.key;
  return isNode(key) && key.range !== null && key.range !== undefined
    ? lines.linePos(key.range[0]).line
    : null;
}

/** A key such as a return code stands in the file as a number, and in the path as text. */
function nodeAt(document: Document, path: readonly PropertyKey[]): unknown {
  let node: unknown = document.contents;
  for (const key of path) {
    if (isMap(node)) {
      node = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(key))?.value;
    } else {
      node = isSeq(node) ? node.items[Number(key)] : undefined;
    }
  }
  return node;
}

/**
 * In TOML by the headers and keys of the text: `[[tasks]]` for the second time is `tasks[1]`. Values inside of inline
 * tables stand at the line of their table.
 */
export function locateInToml(text: string): Locate {
  /** Path, joined by dots, to line. BOUNDED by the lines of the file. */
  const found = new Map<string, number>();
  const counts = new Map<string, number>();
  let prefix: readonly string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const header = /^\s*(\[\[?)\s*([\w.\-"]+)\s*\]\]?/.exec(line);
    const assignment = /^\s*([\w.\-"]+)\s*=/.exec(line);
    if (header !== null) {
      prefix = resolveHeader(header[2] ?? "", header[1] === "[[", counts);
      found.set(prefix.join("."), index + 1);
    } else if (assignment !== null) {
      found.set([...prefix, ...splitKey(assignment[1] ?? "")].join("."), index + 1);
    }
  }
  return (path, key) => {
    const texts = path.map(String);
    const named = key === null ? undefined : found.get([...texts, key].join("."));
    if (named !== undefined) {
      return named;
    }
    for (let length = texts.length; length > 0; length -= 1) {
      const line = found.get(texts.slice(0, length).join("."));
      if (line !== undefined) {
        return line;
      }
    }
    return null;
  };
}

function splitKey(key: string): string[] {
  return key.split(".").map((part) => part.replaceAll('"', ""));
}

/** Each name in a header that is an array of tables means its newest element. */
function resolveHeader(header: string, isArray: boolean, counts: Map<string, number>): string[] {
  const names = splitKey(header);
  const path: string[] = [];
  for (const [index, name] of names.entries()) {
    path.push(name);
    const id = path.join(".");
    const isLast = index === names.length - 1;
    if (isLast && isArray) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    const count = counts.get(id);
    if (count !== undefined) {
      path.push(String(count - 1));
    }
  }
  return path;
}
