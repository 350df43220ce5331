import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Transform } from "node:stream";
import type { AgentTarget } from "#preboot/build-agent.ts";
import { notBuilt, readOurAddress, type RemoteSystem } from "./remote-system.ts";
import { runBySsh, SshError, type SshOptions } from "./ssh-session.ts";

const targets: Readonly<Record<string, AgentTarget>> = {
  "Linux x86_64": "linux-x64",
  "Linux aarch64": "linux-arm64",
  "Darwin arm64": "darwin-arm64",
};
const progressDelayMs = 500;

const probeCommand = 'uname -sm; id -u; echo "${SSH_CONNECTION:-}"';
const copyCommand =
  'umask 077; f=$(mktemp /tmp/portolan-agent.XXXXXXXX) && cat > "$f" && chmod 700 "$f" && echo "$f"';

/** `uname` of the shells that people put on Windows. */
const windowsShell = /^(MINGW|MSYS|CYGWIN)/;

/**
 * Linux or macOS. `null` when nothing answers as a POSIX shell does, or one does that runs on Windows: only numbers and names
 * are looked at, because shells complain in the language of their computer.
 *
 * @throws SshError when ssh itself does not get there, or no agent is built for the system
 */
export async function probePosix(host: string, ssh: SshOptions): Promise<RemoteSystem | null> {
  const answer = await runBySsh(host, probeCommand, ssh).catch((error: unknown) => {
    if (error instanceof SshError && error.isRemote) {
      return "";
    }
    throw error;
  });
  const [system = "", userId = "", connection = ""] = answer.split("\n").map((line) => line.trim());
  if (!/^[0-9]+$/.test(userId) || windowsShell.test(system)) {
    return null;
  }
  const target = targets[system];
  if (target === undefined) {
    throw notBuilt(system || "this system");
  }
  const sudo = userId === "0" ? "" : "sudo -n ";
  return {
    target,
    ourAddress: readOurAddress(connection),
    copy: (path, onPercent) => copyProgram(host, ssh, path, onPercent),
    install: async (copiedPath, words, token) => {
      const command = `${sudo}${copiedPath} install ${words.join(" ")} --token=-; s=$?; rm -f ${copiedPath}; exit $s`;
      await runBySsh(host, command, ssh, `${token}\n`);
    },
    status: () => runBySsh(host, `${sudo}/opt/portolan/portolan-agent status || true`, ssh),
  };
}

async function copyProgram(
  host: string,
  ssh: SshOptions,
  path: string,
  onPercent: (percent: number) => void,
): Promise<string> {
  const { size } = await stat(path);
  let doneBytes = 0;
  let saidAtMs = 0;
  const counter = new Transform({
    transform(part: Buffer, _encoding, done) {
      doneBytes += part.byteLength;
      if (performance.now() - saidAtMs > progressDelayMs) {
        saidAtMs = performance.now();
        onPercent(Math.floor((100 * doneBytes) / size));
      }
      done(null, part);
    },
  });
  const source = createReadStream(path, { highWaterMark: 1 << 20 });
  source.on("error", (error) => counter.destroy(error));
  const answer = (await runBySsh(host, copyCommand, ssh, source.pipe(counter))).trim();
  if (!/^\/tmp\/portolan-agent\.[A-Za-z0-9]{8}$/.test(answer)) {
    throw new SshError("the computer did not say where the program was put");
  }
  return answer;
}
