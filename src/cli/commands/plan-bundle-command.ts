import { readFile, writeFile } from "node:fs/promises";
import { type ApiClient } from "../api-client.ts";
import { checkBundle } from "../check-bundle.ts";
import { apiCommand, type CommandAnswer, UsageError } from "../cli-context.ts";
import { boundaryFlags, readBoundaryFlags } from "./plan-export-command.ts";

/** The key to trust: the one that was given, or that of the server on this machine. */
async function trustedKey(client: ApiClient, given: string | undefined): Promise<string | null> {
  if (given !== undefined) {
    return given.toLowerCase();
  }
  // The network team checks on a machine without a server.
  const status = await client.call("showServer").catch(() => null);
  return status?.siteKeyFingerprint ?? null;
}

async function check(client: ApiClient, path: string, siteKey: string | undefined): Promise<CommandAnswer> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new UsageError(
      `${path} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const trusted = await trustedKey(client, siteKey);
  const { manifest, signedBy, faults } = checkBundle(bytes, trusted);
  const lines =
    faults.length > 0
      ? faults.map((fault) => `FAULT: ${fault}`)
      : [
          `signature and all ${manifest?.files.length} files are good: server ${manifest?.server}, profile ${manifest?.profile}, segments ${manifest?.segments.join(", ")}`,
          trusted === null
            ? `signed by key ${signedBy}; compare it with the server's: portolan status`
            : `signed by this site's key ${signedBy}`,
        ];
  return {
    json: { path, isGood: faults.length === 0, signedBy, isKeyTrusted: trusted !== null, faults, manifest },
    text: lines.join("\n"),
    exitCode: faults.length === 0 ? 0 : 3,
  };
}

export const bundleCommand = apiCommand({
  brief: "A signed change request for the network team: --out FILE writes one, --check FILE checks one",
  flags: {
    ...boundaryFlags,
    out: { brief: "Where to write it", placeholder: "FILE" },
    check: { brief: "Check this one", placeholder: "FILE" },
    "site-key": { brief: "With --check: fingerprint of the site's key", placeholder: "SHA256" },
  },
  run: async ({ client, flags }) => {
    const { out, check: path } = flags;
    if (path !== undefined) {
      return check(client, path, flags["site-key"]);
    }
    if (out === undefined) {
      throw new UsageError("say where to: --out FILE, or --check FILE to check one");
    }
    const bundle = await client.call("bundlePlan", { query: readBoundaryFlags(flags) });
    await writeFile(out, Buffer.from(bundle.archiveBase64, "base64"));
    const { manifest } = bundle;
    return {
      json: { path: out, manifest },
      text: `${out}: ${manifest.files.length} files for ${manifest.segments.join(", ")}, plan ${manifest.planDigest.slice(0, 12)}, signed by ${manifest.siteKeyFingerprint}`,
    };
  },
});
