import { buildCommand, type Command, type CommandContext } from "@stricli/core";
import { type ApiClient, createApiClient } from "./api-client.ts";

export type CliContext = CommandContext & { readonly process: NodeJS.Process };

/** What a command found: one JSON value for programs, text for people. */
export type CommandAnswer = {
  readonly json: unknown;
  readonly text: string;
  /** 0 done, 1 failed, 3 verification found faults. Default 0. */
  readonly exitCode?: 0 | 1 | 3;
};

type CommonFlags = { readonly json: boolean; readonly data?: string };

const commonFlags = {
  json: { kind: "boolean", brief: "Print one JSON value and nothing else", default: false },
  data: {
    kind: "parsed",
    parse: String,
    brief: "Data directory of the server on this machine (or PORTOLAN_DATA)",
    placeholder: "DIR",
    optional: true,
  },
} as const;

export function resolveDataDir(flag: string | undefined): string {
  return flag ?? process.env["PORTOLAN_DATA"] ?? "/var/lib/portolan";
}

/** What was given for a command's flags, by name. */
export type FlagValues = Readonly<Record<string, string | undefined>>;
/** Which of a command's switches were given, by name. */
export type SwitchValues = Readonly<Record<string, boolean | undefined>>;

type ApiCommand<Args extends readonly string[]> = {
  readonly brief: string;
  /** Placeholders of the positional arguments, in order. */
  readonly arguments?: { readonly [Index in keyof Args]: string };
  /** Placeholder of a list of further arguments. */
  readonly list?: string;
  /** The list may be empty: a flag names what it would. Without this at least one is needed. */
  readonly isListOptional?: boolean;
  /** `--name VALUE` by name; all optional. A command parses the value itself and names the flag when it is wrong. */
  readonly flags?: Readonly<Record<string, { readonly brief: string; readonly placeholder: string }>>;
  /** `--name` by name, without a value. */
  readonly switches?: Readonly<Record<string, { readonly brief: string }>>;
  readonly run: (input: {
    readonly client: ApiClient;
    readonly args: Args;
    readonly list: readonly string[];
    /** What was given for `flags`, by name. */
    readonly flags: FlagValues;
    readonly switches: SwitchValues;
    readonly isJson: boolean;
    readonly stdout: NodeJS.WriteStream;
  }) => Promise<CommandAnswer>;
};

/** A command that asks the server and prints its answer. */
export function apiCommand<Args extends readonly string[]>(
  definition: ApiCommand<Args>,
): Command<CliContext> {
  const placeholders: readonly string[] = definition.arguments ?? [];
  const run = async function (this: CliContext, flags: CommonFlags, ...given: string[]): Promise<void> {
    const answer = await definition.run({
      client: createApiClient(resolveDataDir(flags.data)),
      // stricli has checked the count against the placeholders.
      args: given.slice(0, placeholders.length) as unknown as Args,
      list: given.slice(placeholders.length),
      // The scanner has put texts alone under these names.
      flags: flags as unknown as FlagValues,
      switches: flags as unknown as SwitchValues,
      isJson: flags.json,
      stdout: this.process.stdout,
    });
    printAnswer(this.process, answer, flags.json);
  };
  const missing = placeholders.length;
  const flags = { ...commonFlags, ...describeFlags(definition.flags, definition.switches) };
  const parameters = placeholders.map((placeholder) => ({ placeholder, parse: String, brief: placeholder }));
  if (definition.list === undefined) {
    return buildCommand<CommonFlags, string[], CliContext>({
      docs: { brief: definition.brief },
      parameters: { flags, positional: { kind: "tuple", parameters } as never },
      func: run,
    });
  }
  const checked = async function (this: CliContext, flags: CommonFlags, ...given: string[]): Promise<void> {
    if (given.length < missing) {
      throw new UsageError(`missing argument: ${placeholders[given.length]}`);
    }
    await run.call(this, flags, ...given);
  };
  const listPlaceholder = [...placeholders, definition.list].join(" ");
  return buildCommand<CommonFlags, string[], CliContext>({
    docs: { brief: definition.brief },
    parameters: {
      flags,
      positional: {
        kind: "array",
        parameter: { placeholder: listPlaceholder, parse: String, brief: listPlaceholder },
        minimum: missing + (definition.isListOptional === true ? 0 : 1),
      },
    },
    func: checked,
  });
}

/** The flags of one command as stricli wants them. */
function describeFlags(
  flags: ApiCommand<[]>["flags"] = {},
  switches: ApiCommand<[]>["switches"] = {},
): object {
  const withValue = Object.entries(flags).map(([name, flag]) => [
    name,
    { kind: "parsed", parse: String, optional: true, ...flag },
  ]);
  const without = Object.entries(switches).map(([name, flag]) => [
    name,
    { kind: "boolean", optional: true, withNegated: false, ...flag },
  ]);
  return Object.fromEntries([...withValue, ...without]) as object;
}

export function printAnswer(target: NodeJS.Process, answer: CommandAnswer, isJson: boolean): void {
  target.stdout.write(isJson ? `${JSON.stringify(answer.json, null, 2)}\n` : `${answer.text}\n`);
  target.exitCode = answer.exitCode ?? 0;
}

/** Wrong usage or input: exit code 2. */
export class UsageError extends Error {
  readonly code = "usage";

  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}
