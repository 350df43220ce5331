import { existsSync, readdirSync, readFileSync } from "node:fs";
import { runProgram } from "#platform/run-program.ts";

/** What the owner of a computer lets operators do: at once, after its user said yes, or not at all. */
export type RemotePolicy = "allow" | "ask" | "never";

export const remotePolicies = ["allow", "ask", "never"] as const;

const answerTimeMs = 30_000;
const dialogPrograms = ["/usr/bin/zenity", "/usr/bin/xmessage"] as const;

/** Display and its authority of whoever sits in front of the computer, from the environment of their session. */
function findDisplay(): Record<string, string> | null {
  for (const pid of readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
    const path = `/proc/${pid}/environ`;
    try {
      const words = readFileSync(path, "latin1").split("\0");
      const find = (name: string): string | undefined =>
        words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
      const [display, authority] = [find("DISPLAY"), find("XAUTHORITY")];
      if (display !== undefined && authority !== undefined && existsSync(authority)) {
        return { DISPLAY: display, XAUTHORITY: authority };
      }
    } catch (error) {
      // Ended meanwhile, or a process of the kernel.
      if (!(error instanceof Error && "code" in error)) {
        throw error;
      }
    }
  }
  return null;
}

/**
 * Whether the session may begin. With `ask` the user decides in a window; where nobody can be asked the answer is no.
 *
 * @returns `null` for yes, or why not
 */
export async function askConsent(
  policy: RemotePolicy,
  operator: string,
  what: string,
): Promise<string | null> {
  if (policy === "allow") {
    return null;
  }
  if (policy === "never") {
    return "remote control is switched off on this computer (remoteControl = never)";
  }
  const program = dialogPrograms.find((path) => existsSync(path));
  const display = findDisplay();
  if (program === undefined || display === null) {
    return "the user must be asked (remoteControl = ask), and nobody can be: there is no display, or neither zenity nor xmessage";
  }
  const question = `${operator} wants to open ${what} on this computer. Allow it?`;
  const args = program.endsWith("zenity")
    ? ["--question", "--title", "Portolan", "--no-markup", "--text", question]
    : ["-buttons", "Allow:0,Refuse:1", "-default", "Refuse", question];
  const env = { PATH: "/usr/bin:/bin", ...display };
  const outcome = await runProgram({ program, args, env, timeoutMs: answerTimeMs, outputBytesMax: 1024 });
  return outcome.type === "exited" && outcome.exitCode === 0
    ? null
    : `the user did not allow it within ${answerTimeMs / 1000} s`;
}

/** Tells everyone who is logged in at a terminal; who has a window sees it there through their desktop's own terminal bell. */
export async function showNotice(text: string): Promise<void> {
  if (existsSync("/usr/bin/wall")) {
    await runProgram({ program: "/usr/bin/wall", args: ["-n", text], timeoutMs: 5000, outputBytesMax: 1024 });
  }
}
