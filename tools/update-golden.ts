import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { printCapture } from "#cli/decode/print-capture.ts";
import { listExportExamples } from "./export-examples.ts";

/** Folders whose captures have a golden print beside them. */
export const goldenFolders = ["src/wire/dhcp4/fixtures", "src/wire/tftp/fixtures"] as const;

export type Golden = { readonly capturePath: string; readonly textPath: string; readonly text: string };

/** What the golden prints should say now. */
export function listGolden(): Golden[] {
  return goldenFolders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".pcap"))
      .toSorted()
      .map((name) => {
        const capturePath = join(folder, name);
        const lines = [...printCapture(readFileSync(capturePath))];
        return {
          capturePath,
          textPath: capturePath.replace(/\.pcap$/, ".txt"),
          text: `${lines.join("\n")}\n`,
        };
      }),
  );
}

/** `node tools/update-golden.ts`: writes them; the difference is then read in review. */
if (import.meta.main) {
  for (const golden of listGolden()) {
    writeFileSync(golden.textPath, golden.text);
    console.log(golden.textPath);
  }
  for (const { path, text } of listExportExamples()) {
    writeFileSync(path, text);
    console.log(path);
  }
}
