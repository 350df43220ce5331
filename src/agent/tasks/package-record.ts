import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeDurably } from "#platform/durable-file.ts";

/** What this agent has installed, so that it can be found and removed again. */
export type PackageRecord = {
  readonly name: string;
  readonly version: string;
  readonly contentId: string;
  /** Files and folders a bundle put on this computer, absolute, in the order they came. Empty for other kinds. */
  readonly files: readonly string[];
};

/** A package's name becomes a file name; the server allows letters, digits and `._+-` only, and so do we. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;

/** Where records and the scripts of bundles are kept. @throws Error when the name is none */
export function packageFolder(stateDir: string, name: string): string {
  if (!namePattern.test(name)) {
    throw new Error(`${JSON.stringify(name)} is no name for a package`);
  }
  return join(stateDir, "packages", name);
}

export async function readPackageRecord(stateDir: string, name: string): Promise<PackageRecord | null> {
  const path = join(packageFolder(stateDir, name), "record.json");
  try {
    return JSON.parse(await readFile(path, "utf8")) as PackageRecord;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return null;
    }
    throw error;
  }
}

export async function writePackageRecord(stateDir: string, record: PackageRecord): Promise<void> {
  const path = join(packageFolder(stateDir, record.name), "record.json");
  await writeDurably(path, Buffer.from(JSON.stringify(record)));
}

export async function removePackageRecord(stateDir: string, name: string): Promise<void> {
  await rm(packageFolder(stateDir, name), { recursive: true, force: true });
}
