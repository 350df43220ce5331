import { agentCommands, agentOptions } from "#agent/agent-options.ts";
import { routeMap } from "#cli/route-map.ts";
import { serveOptions } from "#server/serve-options.ts";

type RoutingTarget = NonNullable<ReturnType<typeof routeMap.getRoutingTargetForInput>>;
type Command = Exclude<RoutingTarget, typeof routeMap>;

type ProgramUse = {
  /** Words that may come first; `null`: none. */
  readonly words: readonly string[] | null;
  /** Whether a flag takes a value. */
  readonly flags: ReadonlyMap<string, boolean>;
};

function flagsOf(options: Readonly<Record<string, { readonly type: string }>>): ReadonlyMap<string, boolean> {
  return new Map(Object.entries(options).map(([name, { type }]) => [name, type === "string"]));
}

/** Commands that are programs of their own; `lab` and `bench` have names of files in them. */
function programUses(names: CommandNames): ReadonlyMap<string, ProgramUse> {
  return new Map([
    ["serve", { words: null, flags: flagsOf(serveOptions) }],
    ["agent", { words: agentCommands, flags: flagsOf(agentOptions) }],
    ["lab", { words: ["list", "run", "up", "down"], flags: new Map([["keep", false]]) }],
    ["bench", { words: ["list", ...names.measurements], flags: new Map() }],
  ]);
}

/** Names that commands take and that are not in the command line's own tables. */
export type CommandNames = { readonly measurements: readonly string[] };

/** Words of a command line; quotes hold words together. */
function splitWords(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replaceAll(/["']/g, ""));
}

/** A place in prose where something was left out, or stands for a name. */
function isLeftOpen(word: string): boolean {
  return /(?:…|\.\.\.)$|^[A-Z-]+$/.test(word);
}

function inCamelCase(flag: string): string {
  return flag.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** What is wrong with a `portolan` command line, or `null`: the command, its flags and the count of its arguments. */
export function judgeCommand(text: string, isComplete: boolean, names: CommandNames): string | null {
  const [, ...words] = splitWords(text);
  const use = programUses(names).get(words[0] ?? "");
  if (use !== undefined) {
    return judgeProgram(words.slice(1), use);
  }
  let target: RoutingTarget = routeMap;
  let depth = 0;
  while ("getRoutingTargetForInput" in target) {
    const word = words[depth];
    if (word === undefined || word.endsWith("…") || word === "--help") {
      return isComplete && word === undefined ? `portolan ${words.join(" ")} lacks a command` : null;
    }
    const next: RoutingTarget | undefined =
      target.getRoutingTargetForInput(word) ?? target.getRoutingTargetForInput(inCamelCase(word));
    if (next === undefined) {
      const there = target.getAllEntries().map(({ name }) => name["convert-camel-to-kebab"]);
      return `there is no command portolan ${words.slice(0, depth + 1).join(" ")}; there are: ${there.join(", ")}`;
    }
    target = next;
    depth += 1;
  }
  return judgeArguments(target, words, { depth, isComplete });
}

function judgeProgram(words: readonly string[], { words: allowed, flags }: ProgramUse): string | null {
  const [first] = words;
  if (allowed !== null && first !== undefined && !isLeftOpen(first) && !allowed.includes(first)) {
    return `there is no ${first}; there are: ${allowed.join(", ")}`;
  }
  const unknown = words.find((word) => {
    const name = /^--([^=]+)/.exec(word)?.[1];
    return name !== undefined && name !== "help" && !flags.has(name);
  });
  return unknown === undefined
    ? null
    : `there is no flag ${unknown}; there are: --${[...flags.keys()].join(", --")}`;
}

function judgeArguments(
  command: Command,
  words: readonly string[],
  { depth, isComplete }: { readonly depth: number; readonly isComplete: boolean },
): string | null {
  const { flags = {}, positional } = command.parameters;
  const name = `portolan ${words.slice(0, depth).join(" ")}`;
  let count = 0;
  let isOpen = !isComplete;
  for (let index = depth; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const [, flag, value] = /^--?([a-zA-Z][\w-]*)(=.*)?$/.exec(word) ?? [];
    if (flag === undefined) {
      count += 1;
      isOpen ||= word.endsWith("…");
    } else if (flag === "help" || flag === "h") {
      return null;
    } else if (flags[inCamelCase(flag)] === undefined && flags[flag] === undefined) {
      return `${name} has no flag ${word}; it has: ${Object.keys(flags)
        .map((known) => `--${known}`)
        .join(", ")}`;
    } else if ((flags[flag] ?? flags[inCamelCase(flag)])?.kind !== "boolean" && value === undefined) {
      index += 1;
    }
  }
  const parameters = positional?.kind === "tuple" ? positional.parameters : [];
  const least =
    positional?.kind === "array"
      ? (positional.minimum ?? 0)
      : parameters.filter(({ optional }) => optional !== true).length;
  const most =
    positional?.kind === "array" ? (positional.maximum ?? Number.POSITIVE_INFINITY) : parameters.length;
  if (count > most) {
    return `${name} takes ${most} arguments, not ${count}`;
  }
  return count < least && !isOpen ? `${name} needs ${least} arguments, not ${count}` : null;
}
