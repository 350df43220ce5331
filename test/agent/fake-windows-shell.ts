/**
 * Plays the login shell that Win32-OpenSSH starts, as far as an installation needs it, because there is no Windows to test with.
 * It takes no PowerShell apart: it knows the few scripts by what stands in them, and does on Linux what they would do there.
 * Arguments: folder that is `C:`, description as JSON; then `-c` and the command, as sshd gives it to any shell.
 */
import { spawnSync } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** What kind of Windows it is. */
export type FakeWindows = {
  readonly shell: "cmd" | "powershell" | "git-bash";
  readonly processor: string;
  readonly isAdministrator: boolean;
  readonly hasPowerShell: boolean;
  /** The antivirus removes what was copied before it runs. */
  readonly removesPrograms: boolean;
};

const [drive = "", description = "", , command = ""] = process.argv.slice(2);
// Written by the test beside it.
const windows = JSON.parse(description) as FakeWindows;
const programs = "C:\\Program Files";

function end(exitCode: number, ...lines: readonly string[]): never {
  process.stdout.write(lines.map((line) => `${line}\r\n`).join(""));
  // As the PowerShell that was asked to run the command does.
  process.exit(windows.shell === "powershell" ? Math.min(exitCode, 1) : exitCode);
}

/** Where a path of this Windows is; the sftp server has the same drive. */
function place(path: string): string {
  return join(drive, path.replace(/^C:/, "").replaceAll("\\", "/"));
}

const installed = place(`${programs}\\Portolan\\portolan-agent.exe`);

function probe(): never {
  end(
    0,
    "portolan=probe",
    `processor=${windows.processor}`,
    `administrator=${windows.isAdministrator ? "True" : "False"}`,
    `programs=${programs}`,
    `connection=${process.env["SSH_CONNECTION"]}`,
  );
}

/** `& program 'word'…`: what is run is a program for Linux, with the input that a pipe of PowerShell gives. */
function run(path: string, words: readonly string[], input: string): number {
  const { status, stdout, stderr } = spawnSync("/bin/sh", [path, ...words], { input, encoding: "utf8" });
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return status ?? 1;
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(/'([^']*)'/g)].map((match) => match[1] ?? "");
}

function play(script: string): never {
  appendFileSync(join(drive, "scripts"), `${script}\n----\n`);
  const copied = /^\$program = '([^']+)'$/m.exec(script)?.[1];
  const call = /^\s*\$input \| & \$program (.*)$/m.exec(script)?.[1];
  if (script.includes("PROCESSOR_ARCHITECTURE")) {
    probe();
  }
  if (copied !== undefined && call !== undefined) {
    const path = place(copied);
    if (windows.removesPrograms) {
      rmSync(path);
    }
    const input = `${readFileSync(0, "utf8").trimEnd()}\r\n`;
    const gone = /'(portolan=gone)'/.exec(script)?.[1] ?? "";
    const isThere = existsSync(path);
    const exitCode = isThere ? run(path, wordsOf(call), input) : 1;
    if (exitCode === 0) {
      // As the agent for Windows would.
      copyFileSync(path, installed);
    }
    rmSync(dirname(path), { recursive: true });
    end(exitCode, ...(isThere ? [] : [gone]));
  }
  if (script.includes(`& '${programs}\\Portolan\\portolan-agent.exe' 'status'\n`)) {
    run(installed, ["status"], "");
    end(0);
  }
  const removed = /^Remove-Item -LiteralPath '([^']+)' -Recurse/m.exec(script)?.[1];
  if (removed !== undefined) {
    rmSync(place(removed), { recursive: true, force: true });
    end(0);
  }
  return end(1, "a script that this fake does not know");
}

/** What PowerShell says, in the language of this Windows, of a command that there is not. */
function notFound(name: string): string {
  return windows.shell === "cmd"
    ? `Der Befehl "${name}" ist entweder falsch geschrieben oder konnte nicht gefunden werden.`
    : `${name} : Die Benennung "${name}" wurde nicht als Name eines Cmdlet erkannt.`;
}

const encoded = /^powershell ([A-Za-z -]+) -EncodedCommand ([A-Za-z0-9+/=]+)$/.exec(command);
if (encoded !== null && windows.hasPowerShell) {
  // The longest line cmd.exe takes.
  if (command.length > 8191) {
    end(1, "Die Befehlszeile ist zu lang.");
  }
  play(Buffer.from(encoded[2] ?? "", "base64").toString("utf16le"));
}
if (windows.shell === "git-bash" && command.startsWith("uname")) {
  end(0, "MINGW64_NT-10.0-22631 x86_64", "197609", "");
}
process.stderr.write(`${notFound(command.split(/[ ;]/)[0] ?? "")}\r\n`);
// PowerShell goes on after an error, and the last command of a line decides: here it is echo.
end(windows.shell === "powershell" ? 0 : 1, ...(windows.shell === "powershell" ? [""] : []));
