import type { BootMenu } from "#wire/control/boot-menu-message.ts";

/** A menu on a screen, with the time it has left. */
export type MenuState = {
  readonly menu: BootMenu;
  readonly selectedIndex: number;
  /** When the default is taken; `null`: a person has touched a key, or there is no default. */
  readonly deadlineMs: number | null;
};

export type MenuKey = "up" | "down" | "enter" | "other" | number;

export type MenuStep = {
  readonly state: MenuState;
  readonly chosen: { readonly choice: string; readonly by: "person" | "timeout" } | null;
};

export function openMenu(menu: BootMenu, nowMs: number): MenuState {
  const found = menu.entries.findIndex(({ choice }) => choice === menu.defaultChoice);
  const { timeoutMs, defaultChoice } = menu;
  return {
    menu,
    selectedIndex: Math.max(0, found),
    deadlineMs: timeoutMs === null || defaultChoice === null ? null : nowMs + timeoutMs,
  };
}

/** Any key stops the clock: who is there shall not be overtaken while reading. A number chooses at once unless it erases. */
export function pressKey(state: MenuState, key: MenuKey): MenuStep {
  const { entries } = state.menu;
  const stopped = { ...state, deadlineMs: null };
  if (typeof key === "number") {
    const entry = entries[key - 1];
    if (entry === undefined) {
      return { state: stopped, chosen: null };
    }
    const next = { ...stopped, selectedIndex: key - 1 };
    // A slip of the finger must not cost a disk: what erases is selected, and taken with Enter.
    return { state: next, chosen: entry.isDestructive ? null : { choice: entry.choice, by: "person" } };
  }
  switch (key) {
    case "up":
    case "down": {
      const step = key === "up" ? entries.length - 1 : 1;
      const selectedIndex = (state.selectedIndex + step) % Math.max(1, entries.length);
      return { state: { ...stopped, selectedIndex }, chosen: null };
    }
    case "enter": {
      const entry = entries[state.selectedIndex];
      return {
        state: stopped,
        chosen: entry === undefined ? null : { choice: entry.choice, by: "person" },
      };
    }
    case "other":
      return { state: stopped, chosen: null };
  }
}

export function passTime(state: MenuState, nowMs: number): MenuStep {
  const { defaultChoice } = state.menu;
  const isOver = state.deadlineMs !== null && nowMs >= state.deadlineMs;
  return {
    state: isOver ? { ...state, deadlineMs: null } : state,
    chosen: isOver && defaultChoice !== null ? { choice: defaultChoice, by: "timeout" } : null,
  };
}

/** A key is one character, or the escape character and what belongs to it. */
const sequences = /\p{Cc}(?:[[O][0-9;]*[A-Za-z~])?|[^]/gu;

/** The keys in what a terminal sent; unknown sequences count as one key each. */
export function readMenuKeys(text: string): MenuKey[] {
  return [...text.matchAll(sequences)].map(([sequence]): MenuKey => {
    if (/^[1-9]$/.test(sequence)) {
      return Number(sequence);
    }
    switch (sequence) {
      case "\u001b[A":
      case "\u001bOA":
      case "k":
        return "up";
      case "\u001b[B":
      case "\u001bOB":
      case "j":
        return "down";
      case "\r":
      case "\n":
        return "enter";
      default:
        return "other";
    }
  });
}

/** The lines to show, for any terminal of 80 columns. */
export function drawMenu(state: MenuState, nowMs: number): string[] {
  const { menu, selectedIndex, deadlineMs } = state;
  const entries = menu.entries.map(({ label, isDestructive }, index) => {
    const mark = index === selectedIndex ? ">" : " ";
    return `${mark} ${index + 1}  ${label.replaceAll(/\s+/g, " ").slice(0, 48)}${isDestructive ? "  (erases the disk)" : ""}`;
  });
  const label = menu.entries.find(({ choice }) => choice === menu.defaultChoice)?.label ?? "";
  const leftSeconds = deadlineMs === null ? null : Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000));
  return [
    "",
    "What shall this computer do?",
    "",
    ...entries,
    "",
    "Arrow keys or a number select, Enter chooses.",
    leftSeconds === null
      ? "It waits for you."
      : `In ${leftSeconds} s it takes: ${label.slice(0, 40)}. Any key stops the clock.`,
  ];
}
