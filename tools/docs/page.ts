import { dirname, join, normalize, relative } from "node:path";
import { lexer, parser, walkTokens } from "marked";
import { type Document, nextAnchor, plainText } from "./document.ts";

export type NavigationGroup = { readonly title: string; readonly paths: readonly string[] };

const groups: readonly { readonly title: string; readonly holds: (path: string) => boolean }[] = [
  { title: "Guide", holds: (path) => path.startsWith("docs/guide/") },
  { title: "Reference", holds: (path) => path.startsWith("docs/operating/") || path === "docs/glossary.md" },
  { title: "Design", holds: (path) => path.startsWith("docs/") || path === "ARCHITECTURE.md" },
  { title: "Project", holds: () => true },
];

/** Every document once. The guide has the order in which its first page links to the others. */
export function navigate(documents: ReadonlyMap<string, Document>): NavigationGroup[] {
  const left = new Set(documents.keys());
  const first = documents.get("docs/guide/README.md");
  const guide = [
    "docs/guide/README.md",
    ...(first?.links ?? []).map(({ target }) => normalize(join("docs/guide", target))),
  ];
  return groups.map(({ title, holds }) => {
    const place = (path: string): number => {
      const at = guide.indexOf(path);
      return at === -1 ? guide.length : at;
    };
    const paths = [...left].filter((path) => holds(path)).toSorted((a, b) => place(a) - place(b));
    for (const path of paths) {
      left.delete(path);
    }
    return { title, paths };
  });
}

/** Where a document's page is, from the folder of all pages. */
export function pagePath(path: string): string {
  return path.replace(/README\.md$/, "index.md").replace(/\.md$/, ".html");
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function linkBetween(from: string, to: string): string {
  return relative(dirname(pagePath(from)), pagePath(to));
}

/** Where a link leads among the pages; `null`: to a file of the repository that is no page. */
function pageLink(documents: ReadonlyMap<string, Document>, from: string, target: string): string | null {
  if (/^(?:https?:|mailto:|#)/.test(target)) {
    return target;
  }
  const [place = "", anchor] = target.split("#");
  const path = normalize(join(dirname(from), place));
  const hash = anchor === undefined ? "" : `#${anchor}`;
  return documents.has(path) ? `${linkBetween(from, path)}${hash}` : null;
}

/** The Markdown of one document as HTML, with anchors at its headings. Raw HTML in our own documents is let through. */
export function renderText(documents: ReadonlyMap<string, Document>, path: string, text: string): string {
  const tokens = lexer(text);
  const anchors = new Set<string>();
  // What it returns matters to callbacks that are asynchronous.
  void walkTokens(tokens, (token) => {
    if (token.type === "heading") {
      anchors.add(nextAnchor(plainText(String(token["text"])), anchors));
    } else if (token.type === "link") {
      const href = pageLink(documents, path, String(token["href"]));
      Object.assign(token, href === null ? { type: "text" } : { href });
    }
  });
  const ids = [...anchors];
  const html = parser(tokens).replaceAll(/<h([1-6])>/g, (_, depth: string) => {
    return `<h${depth} id="${ids.shift() ?? ""}">`;
  });
  return html.replaceAll("<table>", '<div class="wide"><table>').replaceAll("</table>", "</table></div>");
}

function navigationHtml(documents: ReadonlyMap<string, Document>, from: string): string {
  const group = ({ title, paths }: NavigationGroup): string => {
    const items = paths.map((path) => {
      const current = path === from ? ' aria-current="page"' : "";
      const label = escapeHtml(plainText(documents.get(path)?.title ?? path));
      return `<li><a href="${linkBetween(from, path)}"${current}>${label}</a></li>`;
    });
    return `<h2>${title}</h2>\n<ul>\n${items.join("\n")}\n</ul>`;
  };
  return navigate(documents).map(group).join("\n");
}

/** A whole page: navigation beside the text. It needs nothing but its style sheet. */
export function renderPage(documents: ReadonlyMap<string, Document>, path: string, text: string): string {
  const title = escapeHtml(plainText(documents.get(path)?.title ?? path));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title === "Portolan" ? title : `${title} · Portolan`}</title>
<link rel="stylesheet" href="${relative(dirname(pagePath(path)), "style.css")}">
</head>
<body>
<a class="skip" href="#text">Skip to the text</a>
<nav aria-label="Documents">
${navigationHtml(documents, path)}
</nav>
<main id="text">
${renderText(documents, path, text)}</main>
</body>
</html>
`;
}
