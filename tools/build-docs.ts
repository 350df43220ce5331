import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pagePath, renderPage } from "./docs/page.ts";
import { readDocuments } from "./docs/read-documents.ts";

const folder = "var/docs";

/** All documents as static pages that need no server: open var/docs/index.html. */
function main(): void {
  const documents = readDocuments();
  rmSync(folder, { recursive: true, force: true });
  for (const path of documents.keys()) {
    const place = join(folder, pagePath(path));
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, renderPage(documents, path, readFileSync(path, "utf8")));
  }
  copyFileSync("tools/docs/style.css", join(folder, "style.css"));
  console.log(`${documents.size} pages; open ${folder}/index.html`);
}

main();
