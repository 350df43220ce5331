import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, open, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, isAbsolute, join } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { packageDescriptionSchema } from "#api/package-api.ts";
import { orderByDependency, type PackageDefinition, PackageError } from "#engine/package/package.ts";
import { nearestWords } from "#plan/nearest.ts";
import { runProgram } from "#platform/run-program.ts";
import type { PackageStore, StoredPackage } from "#store/package-store.ts";
import type { DetectionRule, PackageKind } from "#wire/control/os-task-message.ts";
import { ApiError } from "./api-error.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { importFile } from "./content-import.ts";
import type { ImportProgress } from "./image-import.ts";

type Description = z.output<typeof packageDescriptionSchema>;
/** What a package file says of itself. */
type Identity = { readonly name: string | null; readonly version: string | null };

const kindsByExtension: Readonly<Record<string, PackageKind>> = {
  ".deb": "deb",
  ".rpm": "rpm",
  ".msi": "msi",
  ".exe": "exe",
  ".pkg": "pkg",
};
const descriptionName = "package.yaml";
const packMs = 3_600_000;
const nearNameCountMax = 3;
const defaultTimeoutMs = 30 * 60_000;

function refuse(message: string): never {
  throw new ApiError(400, "bad-package", message);
}

/**
 * Takes a package into the store: an installer file as it is, a folder as one of our bundles. What is not said is read
 * from the file, or from its name.
 *
 * @param path absolute, on the server
 * @throws ApiError `bad-package` with what is missing
 */
export async function importPackage(
  stores: { readonly chunks: ChunkStore; readonly packages: PackageStore },
  path: string,
  given: Description,
  nowMs: number,
  onProgress: (progress: ImportProgress) => void,
): Promise<StoredPackage> {
  if (!isAbsolute(path)) {
    refuse(`${path} is no absolute path`);
  }
  const status = await stat(path).catch(() => refuse(`${path} is not on the server`));
  if (status.isFile()) {
    const kind = kindsByExtension[extname(path).toLowerCase()];
    if (kind === undefined) {
      refuse(`${basename(path)} is no deb, rpm, msi, exe or pkg; a folder becomes a bundle`);
    }
    const definition = describe(kind, basename(path), await readIdentity(kind, path), given);
    requireNeeds(definition, await stores.packages.list());
    return store(stores, definition, path, nowMs, onProgress);
  }
  const description = { ...(await readDescription(path)), ...given };
  const definition = describe("bundle", "bundle.tar", { name: basename(path), version: null }, description);
  requireNeeds(definition, await stores.packages.list());
  const folder = await mkdtemp(join(tmpdir(), "portolan-package-"));
  try {
    const archive = join(folder, "bundle.tar");
    await packBundle(path, archive);
    return await store(stores, definition, archive, nowMs, onProgress);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What a package needs must be here before it, so a job never finds out. It takes the place of one of its name. */
function requireNeeds(definition: PackageDefinition, known: readonly StoredPackage[]): void {
  const names = [...new Set(known.map((stored) => stored.definition.name))];
  for (const needed of definition.dependsOn) {
    if (needed !== definition.name && !names.includes(needed)) {
      const near = nearestWords(needed, names).slice(0, nearNameCountMax);
      const hint =
        near.length === 0
          ? "portolan package list shows those that are"
          : `did you mean ${near.join(" or ")}?`;
      refuse(
        `${definition.name} needs the package ${needed}, which is not here; ${hint} ` +
          `Add ${needed} first, or leave it out of --needs (dependsOn in the API and in ${descriptionName})`,
      );
    }
  }
  try {
    orderByDependency(
      { definition },
      (name) =>
        (name === definition.name
          ? { definition }
          : known.find((stored) => stored.definition.name === name)) ?? null,
    );
  } catch (error) {
    throw error instanceof PackageError ? new ApiError(400, error.code, error.message) : error;
  }
}

async function store(
  stores: { readonly chunks: ChunkStore; readonly packages: PackageStore },
  definition: PackageDefinition,
  path: string,
  nowMs: number,
  onProgress: (progress: ImportProgress) => void,
): Promise<StoredPackage> {
  const name = `${definition.name}-${definition.version}`.slice(0, 128);
  const content = await importFile(stores, { path, name }, nowMs, onProgress);
  const stored: StoredPackage = {
    id: `p-${randomBytes(4).toString("hex")}`,
    definition,
    ...content,
    createdAtMs: nowMs,
  };
  await stores.packages.put(stored);
  return stored;
}

/** Everything a bundle is: `files/`, scripts, `package.yaml`. The same folder packs to the same bytes. */
async function packBundle(path: string, archive: string): Promise<void> {
  if (!["files", "install.sh"].some((name) => existsSync(join(path, name)))) {
    refuse(`${path} has neither a folder files nor an install.sh: nothing would be installed`);
  }
  const outcome = await runProgram({
    program: "tar",
    args: [
      ...["--create", "--file", archive, "--directory", path, "--sort=name", "--mtime=@0"],
      ...["--owner=0", "--group=0", "--numeric-owner", "--format=pax"],
      ...["--pax-option=delete=atime,delete=ctime", "--transform=s,^\\./,,", "."],
    ],
    timeoutMs: packMs,
    outputBytesMax: 900,
  });
  if (outcome.type !== "exited" || outcome.exitCode !== 0) {
    refuse(
      `${path} could not be packed: ${outcome.type === "not-started" ? outcome.reason : outcome.output}`,
    );
  }
}

async function readDescription(path: string): Promise<Description> {
  const file = join(path, descriptionName);
  if (!existsSync(file)) {
    return {};
  }
  let raw: unknown;
  try {
    raw = parseYaml(await readFile(file, "utf8"));
  } catch (error) {
    refuse(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = packageDescriptionSchema.safeParse(raw ?? {});
  return parsed.success ? parsed.data : refuse(`${file}: ${z.prettifyError(parsed.error)}`);
}

function describe(
  kind: PackageKind,
  fileName: string,
  found: Identity,
  given: Description,
): PackageDefinition {
  const name = given.name ?? found.name;
  const version = given.version ?? found.version ?? (kind === "bundle" ? "1" : null);
  const check = packageDescriptionSchema.pick({ name: true, version: true }).safeParse({
    ...(name === null ? {} : { name }),
    ...(version === null ? {} : { version }),
  });
  if (name === null || version === null || !check.success) {
    const lacks = name === null ? "name" : version === null ? "version" : "usable name and version";
    refuse(`${fileName} does not say its ${lacks}; give --name and --version`);
  }
  if (kind === "exe" && given.args === undefined) {
    refuse(`${fileName} needs silent arguments, such as --args /S: an installer that asks waits for ever`);
  }
  return {
    ...{ name, version, kind, fileName },
    args: given.args ?? [],
    uninstall: given.uninstall ?? [],
    detection: readDetection(given.detection, kind, name, version),
    dependsOn: given.dependsOn ?? [],
    timeoutMs: given.timeoutMs ?? defaultTimeoutMs,
  };
}

/** Where nothing is said, the system's own database knows debs and rpms, and our agent knows what it installed. */
function readDetection(
  given: Description["detection"],
  kind: PackageKind,
  name: string,
  version: string,
): DetectionRule {
  if (given === undefined) {
    return kind === "deb" ? { type: "package", name, version } : { type: "record" };
  }
  return given.type === "package" ? { ...given, version: given.version ?? null } : given;
}

async function readIdentity(kind: PackageKind, path: string): Promise<Identity> {
  switch (kind) {
    case "deb":
      return readDeb(path);
    case "rpm":
      return readRpm(path);
    case "msi":
    case "exe":
    case "pkg":
    case "bundle":
      return identityFromName(path);
  }
}

async function readDeb(path: string): Promise<Identity> {
  const outcome = await runProgram({
    program: "dpkg-deb",
    args: ["--show", "--showformat=${Package} ${Version}", path],
    timeoutMs: 60_000,
    outputBytesMax: 1024,
  });
  const [name = "", version = ""] =
    outcome.type === "exited" && outcome.exitCode === 0 ? outcome.output.trim().split(" ") : [];
  return name === "" || version === "" ? refuse(`${path} is no Debian package`) : { name, version };
}

/** The lead of an rpm holds name-version-release, 66 bytes at offset 10, as every version of the format has. */
async function readRpm(path: string): Promise<Identity> {
  const handle = await open(path, "r");
  try {
    const lead = Buffer.alloc(96);
    const { bytesRead } = await handle.read(lead, 0, 96, 0);
    if (bytesRead < 96 || lead.readUInt32BE(0) !== 0xedabeedb) {
      refuse(`${path} is no rpm`);
    }
    const text = lead.subarray(10, 76).toString("latin1").replace(/\0.*/s, "");
    const match = /^(.+)-([^-]+)-([^-]+)$/.exec(text);
    return { name: match?.[1] ?? null, version: match === null ? null : `${match[2]}-${match[3]}` };
  } finally {
    await handle.close();
  }
}

/** `Tool-1.2.3-x64.msi` and the like. */
function identityFromName(path: string): Identity {
  const stem = basename(path, extname(path));
  const match = /^(.+?)[-_ ]v?(\d+(?:\.\d+)+)/.exec(stem);
  return { name: (match?.[1] ?? stem).replaceAll(" ", "-"), version: match?.[2] ?? null };
}
