import { readFile } from "node:fs/promises";
import { runProgram } from "#platform/run-program.ts";
import type { Environment } from "#wire/control/message.ts";
import { type Software, softwareLimits, type SoftwareMessage } from "#wire/control/software-message.ts";

const rpmTimeoutMs = 60_000;
const rpmBytesMax = 2 << 20;
/** People, as distributions number them. */
const userIds = { from: 1000, to: 59_999 } as const;

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      return null;
    }
    throw error;
  }
}

/** Packages that are installed, from the text of `/var/lib/dpkg/status`. Removed ones stay in it with their settings. */
export function parseDpkgStatus(status: string): string[] {
  return status.split("\n\n").flatMap((entry) => {
    const field = (name: string): string | null =>
      new RegExp(`^${name}: (.+)$`, "m").exec(entry)?.[1]?.trim() ?? null;
    const name = field("Package");
    const isInstalled = field("Status")?.endsWith(" installed") === true;
    return isInstalled && name !== null ? [`${name} ${field("Version") ?? ""}`.trim()] : [];
  });
}

/** Names of root and of people, from the text of `/etc/passwd`. Those of a directory service are not in it. */
export function parseUsers(passwd: string): string[] {
  return passwd.split("\n").flatMap((line) => {
    const [name = "", , id = ""] = line.split(":");
    const number = Number(id);
    const isPerson = number >= userIds.from && number <= userIds.to;
    return name !== "" && id !== "" && (number === 0 || isPerson) ? [name] : [];
  });
}

async function listPackages(): Promise<string[]> {
  const status = await readOrNull("/var/lib/dpkg/status");
  if (status !== null) {
    return parseDpkgStatus(status);
  }
  const outcome = await runProgram({
    program: "rpm",
    args: ["--query", "--all", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE}\\n"],
    timeoutMs: rpmTimeoutMs,
    outputBytesMax: rpmBytesMax,
  });
  return outcome.type === "exited" && outcome.exitCode === 0 ? outcome.output.trim().split("\n") : [];
}

/** Sorted, each once, printable, within what a message may hold. */
function bounded(texts: readonly string[], charactersMax: number, countMax: number): string[] {
  const clean = texts.map((text) => text.replaceAll(/[^\x20-\x7e]/g, "").slice(0, charactersMax));
  return [...new Set(clean)]
    .filter((text) => text !== "")
    .toSorted()
    .slice(0, countMax);
}

/** What is installed here and who has an account. Other systems than Linux say nothing so far. */
async function readSoftware(): Promise<Software> {
  const { packageCount, packageCharacters, userCount, userCharacters } = softwareLimits;
  return {
    packages: bounded(await listPackages(), packageCharacters, packageCount),
    users: bounded(parseUsers((await readOrNull("/etc/passwd")) ?? ""), userCharacters, userCount),
  };
}

type SoftwareTellerDependencies = {
  readonly environment: Environment;
  /** False when there is no connection. */
  readonly send: (message: SoftwareMessage) => boolean;
  readonly say: (text: string) => void;
};

/** Tells the server what is installed: once for each run of the agent, and when it has become something else. */
export class SoftwareTeller {
  readonly #dependencies: SoftwareTellerDependencies;
  #toldText = "";
  /** One reading after the other: what a task changes while one is under way is seen by the next. */
  #lastTelling: Promise<void> = Promise.resolve();

  constructor(dependencies: SoftwareTellerDependencies) {
    this.#dependencies = dependencies;
  }

  tell(): void {
    const { environment, say } = this.#dependencies;
    if (environment === "os" && process.platform === "linux") {
      this.#lastTelling = this.#lastTelling
        .then(() => this.#tellChange())
        .catch((error: unknown) => say(`the list of software: ${String(error)}`));
    }
  }

  /** A server that lets it in anew may know nothing of it. */
  forget(): void {
    this.#toldText = "";
  }

  async #tellChange(): Promise<void> {
    const software = await readSoftware();
    const text = JSON.stringify(software);
    if (text !== this.#toldText && this.#dependencies.send({ type: "software", software })) {
      this.#toldText = text;
    }
  }
}
