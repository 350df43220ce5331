import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Transform } from "node:stream";
import type { AgentTarget } from "#preboot/build-agent.ts";
import { runBySsh, SshError, type SshOptions } from "./ssh-session.ts";

export type HostState =
  | { readonly type: "connecting" }
  | { readonly type: "copying"; readonly percent: number }
  | { readonly type: "installing" }
  | { readonly type: "waiting" }
  | { readonly type: "done"; readonly computerId: string }
  | { readonly type: "failed"; readonly reason: string };

/** What a computer is told: settings by key. An empty one is left out: without `server`, its agent looks for one by multicast. */
export type HostSettings = Readonly<Record<string, string>>;

export type InstallPlan = {
  readonly ssh: SshOptions;
  readonly siteKey: string;
  /** Addresses of the server; the one that a computer sees us come from is where its agent connects. */
  readonly serverAddresses: readonly string[];
  readonly agentFor: (target: AgentTarget) => Promise<string>;
  /** The token is worth nothing any more once it was removed. */
  readonly createToken: (host: string) => Promise<{ readonly token: string; remove(): Promise<unknown> }>;
};

const targets: Readonly<Record<string, AgentTarget>> = {
  "Linux x86_64": "linux-x64",
  "Linux aarch64": "linux-arm64",
  "Darwin arm64": "darwin-arm64",
};
const statusDelayMs = 1000;
const statusCountMax = 120;
const progressDelayMs = 500;

/** A word that no shell reads anything into. */
const plainWord = /^[A-Za-z0-9._:=/-]+$/;

const probeCommand = 'uname -sm; id -u; echo "${SSH_CONNECTION:-}"';
const copyCommand =
  'umask 077; f=$(mktemp /tmp/portolan-agent.XXXXXXXX) && cat > "$f" && chmod 700 "$f" && echo "$f"';

type Probe = { readonly target: AgentTarget; readonly sudo: string; readonly ourAddress: string | null };

async function probe(host: string, ssh: SshOptions): Promise<Probe> {
  const [system = "", userId = "", connection = ""] = (await runBySsh(host, probeCommand, ssh)).split("\n");
  const target = targets[system.trim()];
  if (target === undefined) {
    throw new SshError(
      `no agent is built for ${system.trim() || "this system"}; install it there by hand with portolan agent install`,
    );
  }
  const sudo = userId.trim() === "0" ? "" : "sudo -n ";
  return { target, sudo, ourAddress: connection.trim().split(" ")[0] || null };
}

async function copyProgram(
  host: string,
  plan: InstallPlan,
  given: { readonly target: AgentTarget; readonly onState: (state: HostState) => void },
): Promise<string> {
  const path = await plan.agentFor(given.target);
  const { size } = await stat(path);
  let doneBytes = 0;
  let saidAtMs = 0;
  const counter = new Transform({
    transform(part: Buffer, _encoding, done) {
      doneBytes += part.byteLength;
      if (performance.now() - saidAtMs > progressDelayMs) {
        saidAtMs = performance.now();
        given.onState({ type: "copying", percent: Math.floor((100 * doneBytes) / size) });
      }
      done(null, part);
    },
  });
  const source = createReadStream(path, { highWaterMark: 1 << 20 });
  source.on("error", (error) => counter.destroy(error));
  const answer = (await runBySsh(host, copyCommand, plan.ssh, source.pipe(counter))).trim();
  if (!/^\/tmp\/portolan-agent\.[A-Za-z0-9]{8}$/.test(answer)) {
    throw new SshError("the computer did not say where the program was put");
  }
  return answer;
}

/** Until its agent was let in. */
async function awaitAgent(host: string, sudo: string, ssh: SshOptions): Promise<string> {
  let last = "";
  for (let count = 0; count < statusCountMax; count += 1) {
    last = await runBySsh(host, `${sudo}/opt/portolan/portolan-agent status || true`, ssh);
    const found = /let in as (c-[0-9a-f]+)/.exec(last)?.[1];
    if (found !== undefined) {
      return found;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, statusDelayMs);
    });
  }
  throw new SshError(`the agent runs, but the server has not let it in: ${last.trim().split("\n").at(-1)}`);
}

/**
 * Puts the agent on one computer: looks what it is, copies the program, installs it with its settings and a token of its own,
 * and waits until it is let in. Never throws: the state says what went wrong.
 */
export async function installHost(
  host: string,
  plan: InstallPlan,
  given: { readonly settings: HostSettings; readonly onState: (state: HostState) => void },
): Promise<HostState> {
  const { ssh, siteKey, serverAddresses, createToken } = plan;
  const { onState } = given;
  const finish = (state: HostState): HostState => {
    onState(state);
    return state;
  };
  try {
    onState({ type: "connecting" });
    const { target, sudo, ourAddress } = await probe(host, ssh);
    const path = await copyProgram(host, plan, { target, onState });
    onState({ type: "installing" });
    const isOurs = ourAddress !== null && serverAddresses.includes(ourAddress);
    const settings = { ...(isOurs ? { server: ourAddress } : {}), ...given.settings };
    const words = [
      `--site-key=${siteKey}`,
      ...Object.entries(settings)
        .filter(([, value]) => value !== "")
        .map(([key, value]) => `--set=${key}=${value}`),
    ];
    const strange = words.find((word) => !plainWord.test(word));
    if (strange !== undefined) {
      throw new SshError(`the setting ${strange} has characters that are not sent over ssh`);
    }
    const install = `${sudo}${path} install ${words.join(" ")} --token=-; s=$?; rm -f ${path}; exit $s`;
    const token = await createToken(host);
    try {
      await runBySsh(host, install, ssh, `${token.token}\n`);
      onState({ type: "waiting" });
      return finish({ type: "done", computerId: await awaitAgent(host, sudo, ssh) });
    } finally {
      await token.remove();
    }
  } catch (error) {
    return finish({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
}
