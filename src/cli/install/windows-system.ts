import { randomBytes } from "node:crypto";
import { notBuilt, readOurAddress, type RemoteSystem } from "./remote-system.ts";
import { putBySftp, runBySsh, SshError, type SshOptions } from "./ssh-session.ts";

/** cmd.exe takes 8191 characters. */
const commandLengthMax = 8000;

/**
 * A script as one command that cmd.exe, PowerShell and a POSIX shell all pass on unchanged: Base64 has nothing that any of them
 * reads anything into. Without `-OutputFormat` an encoded command writes its errors as XML.
 */
export function encodePowerShell(script: string): string {
  const encoded = Buffer.from(`${prologue}${script}`, "utf16le").toString("base64");
  const command = `powershell -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand ${encoded}`;
  if (command.length > commandLengthMax) {
    throw new SshError("these are more settings than a Windows command line holds; set some of them later");
  }
  return command;
}

// A progress bar would be among the errors, and of an error the sentence is enough.
const prologue = `$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'
trap { $_.Exception.Message; exit 1 }
`;

/**
 * IsInRole asks the token and not the list of members, so it is true of an administrator with full rights alone. A 32-bit
 * process is told another processor and another folder of programs; the second names are the true ones.
 */
const probeScript = `
$user = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
$isAdministrator = $user.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
$processor = @($env:PROCESSOR_ARCHITEW6432, $env:PROCESSOR_ARCHITECTURE) -ne $null | Select-Object -First 1
$programs = @($env:ProgramW6432, $env:ProgramFiles) -ne $null | Select-Object -First 1
'portolan=probe'
"processor=$processor"
"administrator=$isAdministrator"
"programs=$programs"
"connection=$env:SSH_CONNECTION"
exit 0`;

/**
 * PowerShell as the login shell reports 1 for every exit code but 0, and its pipe adds a line end to the token: neither matters.
 * The copy goes whatever happens, together with its folder.
 */
function installScript(copiedPath: string, words: readonly string[]): string {
  const list = words.map((word) => ` '${word}'`).join("");
  return `
$program = '${copiedPath}'
$code = 1
try {
  if (Test-Path -LiteralPath $program) {
    $input | & $program 'install'${list} '--token=-'
    $code = $LASTEXITCODE
  } else { '${goneMark}' }
} catch { $_.Exception.Message } finally {
  Remove-Item -LiteralPath (Split-Path -Parent $program) -Recurse -Force -ErrorAction SilentlyContinue
}
exit $code`;
}

const goneMark = "portolan=gone";

const removedText =
  "the copied program is not there any more: its antivirus has removed it; make an exception for C:\\Program Files\\Portolan, or sign the program";

type Facts = Readonly<Record<"processor" | "administrator" | "programs" | "connection", string>>;

async function readFacts(host: string, ssh: SshOptions): Promise<Facts> {
  const answer = await runBySsh(host, encodePowerShell(probeScript), ssh).catch((error: unknown) => {
    if (error instanceof SshError && error.isRemote) {
      throw new SshError(
        `neither a POSIX shell nor Windows PowerShell answers there; install the agent by hand. It said: ${error.message}`,
      );
    }
    throw error;
  });
  const found = new Map(
    answer.split("\n").map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, Math.max(equals, 0)), line.slice(equals + 1).trim()] as const;
    }),
  );
  if (found.get("portolan") !== "probe") {
    throw new SshError("its shell is no POSIX shell, and Windows PowerShell does not say what system it is");
  }
  const take = (name: string): string => found.get(name) ?? "";
  return {
    processor: take("processor"),
    administrator: take("administrator"),
    programs: take("programs"),
    connection: take("connection"),
  };
}

/** Windows, by PowerShell and sftp. @throws SshError naming what it lacks */
export async function probeWindows(host: string, ssh: SshOptions): Promise<RemoteSystem> {
  const { processor, administrator, programs, connection } = await readFacts(host, ssh);
  if (processor.toUpperCase() !== "AMD64") {
    throw notBuilt(`Windows on ${processor || "this processor"}`);
  }
  if (administrator !== "True") {
    throw new SshError(
      "this user has no administrator's rights there; name one who has with --user (over ssh Windows gives administrators theirs without a question)",
    );
  }
  if (!/^[A-Za-z]:\\[A-Za-z0-9 ().\\-]+$/.test(programs)) {
    throw new SshError(`the folder of programs there is ${programs || "not named"}, which is not understood`);
  }
  const home = `${programs}\\Portolan`;
  return {
    target: "win-x64",
    ourAddress: readOurAddress(connection),
    copy: async (path) => copyProgram(host, ssh, path, home),
    install: async (copiedPath, words, token) => {
      const command = encodePowerShell(installScript(copiedPath, words));
      await runBySsh(host, command, ssh, `${token}\n`).catch((error: unknown) => {
        throw error instanceof SshError && error.message.includes(goneMark)
          ? new SshError(removedText)
          : error;
      });
    },
    status: () => runBySsh(host, encodePowerShell(`& '${home}\\portolan-agent.exe' 'status'\nexit 0`), ssh),
  };
}

/**
 * Below the folder of programs, where users may not put a library beside it that it would load, and where rules that name
 * folders (AppLocker's own, for one) let it run; in a folder of its own, which is removed with it.
 */
async function copyProgram(host: string, ssh: SshOptions, path: string, home: string): Promise<string> {
  const folder = `${home}\\new-${randomBytes(8).toString("hex")}`;
  const copiedPath = `${folder}\\portolan-agent.exe`;
  try {
    await putBySftp(host, ssh, {
      path,
      folders: [toSftpPath(home), toSftpPath(folder)],
      remotePath: toSftpPath(copiedPath),
    });
  } catch (error) {
    const tidy = `Remove-Item -LiteralPath '${folder}' -Recurse -Force -ErrorAction SilentlyContinue`;
    // What went wrong first is what the operator has to know.
    await runBySsh(host, encodePowerShell(tidy), ssh).catch(() => undefined);
    throw error;
  }
  return copiedPath;
}

/** `C:\Program Files` as Win32-OpenSSH's sftp-server has it: `/C:/Program Files`. */
function toSftpPath(path: string): string {
  return `/${path.replaceAll("\\", "/")}`;
}
