import { existsSync } from "node:fs";
import { judgeDocuments, readCommandNames, readDocuments } from "./docs/read-documents.ts";

/** Every relative link of the documents leads somewhere, and every `portolan` command line in them exists. */
function main(): void {
  const documents = readDocuments();
  const complaints = judgeDocuments(documents, { isThere: existsSync, names: readCommandNames() });
  for (const complaint of complaints) {
    console.log(complaint);
  }
  const all = [...documents.values()];
  const linkCount = all.reduce((sum, { links }) => sum + links.length, 0);
  const commandCount = all.reduce((sum, { commands }) => sum + commands.length, 0);
  console.log(
    `check-docs: ${documents.size} documents, ${linkCount} links, ${commandCount} commands, ${complaints.length} complaints`,
  );
  process.exitCode = complaints.length === 0 ? 0 : 1;
}

main();
