import type { AgentTarget } from "#preboot/build-agent.ts";
import { probePosix } from "./posix-system.ts";
import type { RemoteSystem } from "./remote-system.ts";
import { SshError, type SshOptions } from "./ssh-session.ts";
import { probeWindows } from "./windows-system.ts";

export type HostState =
  | { readonly type: "connecting" }
  /** `null`: how far is not known; sftp does not say. */
  | { readonly type: "copying"; readonly percent: number | null }
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

const statusDelayMs = 1000;
const statusCountMax = 120;

/** A word that no shell reads anything into. */
const plainWord = /^[A-Za-z0-9._:=/-]+$/;

/** The order matters: Windows is asked only where no POSIX shell answered. */
async function probe(host: string, ssh: SshOptions): Promise<RemoteSystem> {
  return (await probePosix(host, ssh)) ?? (await probeWindows(host, ssh));
}

/** Until its agent was let in. */
async function awaitAgent(system: RemoteSystem): Promise<string> {
  let last = "";
  for (let count = 0; count < statusCountMax; count += 1) {
    last = await system.status();
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

/** What the agent's `install` is told. @throws SshError for what a shell would read something into */
function installWords(
  { ourAddress }: RemoteSystem,
  { siteKey, serverAddresses }: InstallPlan,
  own: HostSettings,
): string[] {
  const isOurs = ourAddress !== null && serverAddresses.includes(ourAddress);
  const settings = { ...(isOurs ? { server: ourAddress } : {}), ...own };
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
  return words;
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
  const { ssh, createToken } = plan;
  const { onState } = given;
  const finish = (state: HostState): HostState => {
    onState(state);
    return state;
  };
  try {
    onState({ type: "connecting" });
    const system = await probe(host, ssh);
    const words = installWords(system, plan, given.settings);
    onState({ type: "copying", percent: null });
    const copiedPath = await system.copy(await plan.agentFor(system.target), (percent) =>
      onState({ type: "copying", percent }),
    );
    onState({ type: "installing" });
    const token = await createToken(host);
    try {
      await system.install(copiedPath, words, token.token);
      onState({ type: "waiting" });
      return finish({ type: "done", computerId: await awaitAgent(system) });
    } finally {
      await token.remove();
    }
  } catch (error) {
    return finish({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
}
