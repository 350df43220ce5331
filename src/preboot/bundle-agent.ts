import { rolldown } from "rolldown";

/** Bundles the agent and all it uses into one file that Node runs by itself. */
export async function bundleAgent(entryPath: string, outputPath: string): Promise<void> {
  const bundle = await rolldown({ input: entryPath, platform: "node", logLevel: "warn" });
  try {
    await bundle.write({ file: outputPath, format: "esm", codeSplitting: false, minify: false });
  } finally {
    await bundle.close();
  }
}
