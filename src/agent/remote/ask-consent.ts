import { existsSync } from "node:fs";
import type { X11Display } from "#platform/linux/desktop.ts";
import { runProgram } from "#platform/run-program.ts";
import type { RemotePolicy } from "#wire/control/agent-settings.ts";

/** What the owner of a computer lets operators do: at once, after its user said yes, or not at all. */

const answerTimeMs = 30_000;
/** The longest a timer can be, three weeks. */
const indicatorTimeMs = 2 ** 31 - 1;
const dialogPrograms = ["/usr/bin/zenity", "/usr/bin/xmessage"] as const;

/** A window with a text and a first and, where there is one, second button; exit code 0 stands for the first. */
function dialog(display: X11Display, text: string, buttons: readonly [string, string?]) {
  const program = dialogPrograms.find((path) => existsSync(path));
  if (program === undefined) {
    return null;
  }
  const [yes, no] = buttons;
  const zenity = [
    no === undefined ? "--info" : "--question",
    ...["--title", "Portolan", "--no-markup", "--text", text, "--ok-label", yes],
    ...(no === undefined ? [] : ["--cancel-label", no]),
  ];
  const xmessage = [
    ...["-title", "Portolan", "-buttons", no === undefined ? `${yes}:0` : `${yes}:0,${no}:1`],
    ...(no === undefined ? ["-geometry", "+0+0"] : ["-center", "-default", no]),
    text,
  ];
  const env = { PATH: "/usr/bin:/bin", DISPLAY: display.display, XAUTHORITY: display.authorityPath };
  return { program, args: program.endsWith("zenity") ? zenity : xmessage, env, outputBytesMax: 1024 };
}

/**
 * Whether the session may begin. With `ask` the user decides in a window; where nobody can be asked the answer is no.
 *
 * @returns `null` for yes, or why not
 */
export async function askConsent(given: {
  readonly policy: RemotePolicy;
  readonly operator: string;
  readonly what: string;
  readonly display: X11Display | null;
}): Promise<string | null> {
  const { policy, operator, what, display } = given;
  if (policy === "allow") {
    return null;
  }
  if (policy === "never") {
    return "remote control is switched off on this computer (remoteControl = never)";
  }
  const question = `${operator} wants to open ${what} on this computer. Allow it?`;
  const window = display === null ? null : dialog(display, question, ["Allow", "Refuse"]);
  if (window === null) {
    return "the user must be asked (remoteControl = ask), and nobody can be: there is no display, or neither zenity nor xmessage";
  }
  const outcome = await runProgram({ ...window, timeoutMs: answerTimeMs });
  return outcome.type === "exited" && outcome.exitCode === 0
    ? null
    : `the user did not allow it within ${answerTimeMs / 1000} s`;
}

/** A window that stays while an operator works, with a button that ends it. Returns what takes it away. */
export function showIndicator(display: X11Display, text: string, onEnd: () => void): () => void {
  const window = dialog(display, text, ["End the session"]);
  if (window === null) {
    return () => undefined;
  }
  const abort = new AbortController();
  runProgram({ ...window, timeoutMs: indicatorTimeMs, signal: abort.signal }).then(
    (outcome) => {
      if (outcome.type === "exited" && outcome.exitCode === 0) {
        onEnd();
      }
    },
    // It never rejects; an indicator that could not be shown must not end the session.
    () => undefined,
  );
  return () => abort.abort();
}

/** Tells everyone who is logged in at a terminal. */
export async function showNotice(text: string): Promise<void> {
  if (existsSync("/usr/bin/wall")) {
    await runProgram({ program: "/usr/bin/wall", args: ["-n", text], timeoutMs: 5000, outputBytesMax: 1024 });
  }
}
