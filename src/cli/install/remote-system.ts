import type { AgentTarget } from "#preboot/build-agent.ts";
import { SshError } from "./ssh-session.ts";

/** A computer at the other end of ssh, and how its kind of system is told things. All reject with SshError. */
export type RemoteSystem = {
  readonly target: AgentTarget;
  /** The address that the computer sees us come from. */
  readonly ourAddress: string | null;
  /** Puts the agent's executable where nobody but administrators can change it. @returns its path there */
  copy(path: string, onPercent: (percent: number) => void): Promise<string>;
  /** Runs the copied executable with these checked words and the token on its standard input, then removes the copy. */
  install(copiedPath: string, words: readonly string[], token: string): Promise<void>;
  /** What the installed agent says of itself. */
  status(): Promise<string>;
};

/** The first address of SSH_CONNECTION. */
export function readOurAddress(connection: string): string | null {
  return connection.trim().split(" ")[0] || null;
}

export function notBuilt(system: string): SshError {
  return new SshError(
    `no agent is built for ${system}; install it there by hand with portolan agent install`,
  );
}
