import { JsonFields } from "./json-fields.ts";

/** What a person at a computer in preboot may choose from. */
export type BootMenu = {
  readonly entries: readonly {
    readonly choice: string;
    readonly label: string;
    readonly isDestructive: boolean;
  }[];
  /** Taken when the time is over; `null`: nothing is. */
  readonly defaultChoice: string | null;
  /** From when it is shown; `null`: it waits for a person. */
  readonly timeoutMs: number | null;
};

export type MenuMessage = { readonly type: "menu" } & BootMenu;

export type MenuChoice = {
  readonly type: "menu-choice";
  readonly choice: string;
  /** A key, or the end of the time. */
  readonly by: "person" | "timeout";
};

/** A key for each. */
const entryCountMax = 9;
const choiceMax = 64;
const labelMax = 128;

/** @throws WireError `bad-value` */
export function decodeMenu(fields: JsonFields): MenuMessage {
  const raw = fields.raw("timeoutMs");
  return {
    type: "menu",
    entries: fields.list("entries", entryCountMax, (item) => {
      const entry = new JsonFields(item, "entry");
      return {
        choice: entry.text("choice", choiceMax),
        label: entry.prose("label", labelMax),
        isDestructive: entry.flag("isDestructive"),
      };
    }),
    defaultChoice: fields.textOrNull("defaultChoice", choiceMax),
    timeoutMs: raw === null || raw === undefined ? null : fields.integer("timeoutMs", 1, 86_400_000),
  };
}

/** @throws WireError `bad-value` */
export function decodeMenuChoice(fields: JsonFields): MenuChoice {
  return {
    type: "menu-choice",
    choice: fields.text("choice", choiceMax),
    by: fields.choice("by", ["person", "timeout"]),
  };
}
