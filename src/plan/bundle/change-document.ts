/** A document that is written once and printed as Markdown and as HTML. */
export type ChangeDocument = { readonly title: string; readonly sections: readonly DocumentSection[] };

export type DocumentSection = { readonly heading: string; readonly blocks: readonly DocumentBlock[] };

export type DocumentBlock =
  | { readonly type: "paragraph"; readonly text: string }
  | { readonly type: "list"; readonly items: readonly string[] }
  | { readonly type: "commands"; readonly lines: readonly string[] }
  | {
      readonly type: "table";
      readonly headers: readonly string[];
      readonly rows: readonly (readonly string[])[];
    };

function markdownText(text: string): string {
  return text.replaceAll(/[\\`*_<>|[\]#]/g, (character) => `\\${character}`).replaceAll(/\s+/g, " ");
}

function markdownBlock(block: DocumentBlock): string {
  switch (block.type) {
    case "paragraph":
      return markdownText(block.text);
    case "list":
      return block.items.map((item) => `- ${markdownText(item)}`).join("\n");
    case "commands":
      return ["```sh", ...block.lines, "```"].join("\n");
    case "table":
      return [
        block.headers,
        block.headers.map(() => "---"),
        ...block.rows.map((row) => row.map(markdownText)),
      ]
        .map((cells) => `| ${cells.join(" | ")} |`)
        .join("\n");
    default:
      return block satisfies never;
  }
}

export function renderMarkdown(document: ChangeDocument): string {
  const sections = document.sections.map(({ heading, blocks }) =>
    [`## ${markdownText(heading)}`, ...blocks.map(markdownBlock)].join("\n\n"),
  );
  return `${[`# ${markdownText(document.title)}`, ...sections].join("\n\n")}\n`;
}

function htmlText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function htmlBlock(block: DocumentBlock): string {
  switch (block.type) {
    case "paragraph":
      return `<p>${htmlText(block.text)}</p>`;
    case "list":
      return `<ul>\n${block.items.map((item) => `<li>${htmlText(item)}</li>`).join("\n")}\n</ul>`;
    case "commands":
      return `<pre>${htmlText(block.lines.join("\n"))}</pre>`;
    case "table": {
      const head = block.headers.map((cell) => `<th scope="col">${htmlText(cell)}</th>`).join("");
      const rows = block.rows.map(
        (row) => `<tr>${row.map((cell) => `<td>${htmlText(cell)}</td>`).join("")}</tr>`,
      );
      return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows.join("\n")}\n</tbody>\n</table>`;
    }
    default:
      return block satisfies never;
  }
}

/** Black on white, no script, no address of another machine: made to be printed and signed. */
const style = `
  @page { size: A4 landscape; margin: 15mm; }
  body { font: 10pt/1.4 "Noto Sans", "DejaVu Sans", Arial, sans-serif; color: #111; max-width: 110em; margin: 2em auto; padding: 0 1em; }
  h1 { font-size: 16pt; } h2 { font-size: 12pt; margin-top: 1.6em; break-after: avoid; }
  table { border-collapse: collapse; width: 100%; } th, td { border: 1px solid #999; padding: 0.25em 0.5em; text-align: left; vertical-align: top; }
  thead { display: table-header-group; } th { background: #eee; } tr { break-inside: avoid; }
  pre { background: #f4f4f4; padding: 0.6em; white-space: pre-wrap; }
`;

export function renderHtml(document: ChangeDocument): string {
  const sections = document.sections.map(
    ({ heading, blocks }) => `<h2>${htmlText(heading)}</h2>\n${blocks.map(htmlBlock).join("\n")}`,
  );
  return [
    "<!doctype html>",
    '<html lang="en">',
    `<head><meta charset="utf-8"><title>${htmlText(document.title)}</title><style>${style}</style></head>`,
    "<body>",
    `<h1>${htmlText(document.title)}</h1>`,
    ...sections,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}
