import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** One file of the boot folder, checked against the manifest when it was loaded. */
export type BootFile = {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** The content, kept in memory for TFTP; `null` for files too large for that, which only HTTP serves. */
  readonly bytes: Uint8Array | null;
};

/** What `load` found: how many files are served, and a sentence for each that is not. */
export type BootFilesReport = { readonly servedCount: number; readonly problems: readonly string[] };

/** Loader, kernel and initrd fit; the preboot image does not and never travels by TFTP. */
const inMemorySizeBytesMax = 32 * 1024 * 1024;

const manifestSchema = z.object({
  files: z
    .array(
      z.object({
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
        sizeBytes: z.int().min(0),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .max(256),
});

/**
 * The table of boot files: the only names that TFTP and HTTP serve. Read from `manifest.json` in the boot folder,
 * which `portolan boot build` writes; a file that does not match its hash there is not served.
 *
 * Keyed by name. BOUNDED by the 256 files a manifest may name.
 */
export class BootFiles {
  readonly #folder: string;
  #files: ReadonlyMap<string, BootFile> = new Map();
  #names: ReadonlySet<string> = new Set();
  #problems: readonly string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads the folder again and swaps the table in one step. A missing folder is a problem, not an error. */
  async load(): Promise<BootFilesReport> {
    const problems: string[] = [];
    const files = new Map<string, BootFile>();
    for (const entry of await this.#readManifest(problems)) {
      const file = await this.#readEntry(entry, problems);
      if (file !== null) {
        files.set(file.name, file);
      }
    }
    this.#files = files;
    this.#names = new Set(files.keys());
    this.#problems = problems;
    return { servedCount: files.size, problems };
  }

  find(name: string): BootFile | null {
    return this.#files.get(name) ?? null;
  }

  /** What could not be served at the last reading, as sentences with the way out. */
  problems(): readonly string[] {
    return this.#problems;
  }

  names(): ReadonlySet<string> {
    return this.#names;
  }

  async #readManifest(problems: string[]): Promise<z.infer<typeof manifestSchema>["files"]> {
    const path = join(this.#folder, "manifest.json");
    try {
      const parsed = manifestSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
      if (parsed.success) {
        return parsed.data.files;
      }
      problems.push(`${path} is not a manifest of boot files; run: portolan boot build`);
    } catch (error) {
      problems.push(`${path} cannot be read (${reasonOf(error)}); run: portolan boot build`);
    }
    return [];
  }

  async #readEntry(
    entry: { readonly name: string; readonly sizeBytes: number; readonly sha256: string },
    problems: string[],
  ): Promise<BootFile | null> {
    const path = join(this.#folder, entry.name);
    try {
      const bytes = await readFile(path);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      if (sha256 !== entry.sha256) {
        problems.push(`${path} is not the file of the manifest; run: portolan boot build`);
        return null;
      }
      return {
        name: entry.name,
        path,
        sizeBytes: bytes.byteLength,
        sha256,
        bytes: bytes.byteLength <= inMemorySizeBytesMax ? bytes : null,
      };
    } catch (error) {
      problems.push(`${path} cannot be read (${reasonOf(error)}); run: portolan boot build`);
      return null;
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "not readable";
}
