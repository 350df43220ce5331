import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootFilePurposes } from "#preboot/build-boot-files.ts";

/** As `portolan boot build` leaves it, with contents of our own. */
export function writeBuild(
  dataDir: string,
  contents: Readonly<Record<string, string>>,
  { kernelVersion = "6.12.9-test", builtAt = Date.UTC(2026, 0, 1) } = {},
): void {
  const folder = join(dataDir, "boot");
  mkdirSync(folder, { recursive: true });
  const files = Object.entries(contents).map(([name, content]) => {
    writeFileSync(join(folder, name), content);
    const sha256 = createHash("sha256").update(content).digest("hex");
    return { name, sizeBytes: content.length, sha256, purpose: bootFilePurposes[name] ?? name };
  });
  const manifest = { builtAt, kernelVersion, files };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}
