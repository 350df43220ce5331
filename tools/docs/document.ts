import { lexer, type Token, walkTokens } from "marked";

export type DocumentLink = { readonly target: string; readonly line: number };

export type DocumentCommand = {
  /** Without the prompt, `sudo`, comments and whatever it is piped into; begins with `portolan`. */
  readonly text: string;
  readonly line: number;
  /** From a block of commands, to be typed as it stands; in prose a command may lack its arguments. */
  readonly isComplete: boolean;
};

export type Document = {
  /** From the repository's root. */
  readonly path: string;
  readonly title: string;
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly DocumentLink[];
  readonly commands: readonly DocumentCommand[];
};

const shellLanguages = new Set(["sh", "bash", "console", "shell"]);

/** The anchor of a heading as code forges make it: lower case, punctuation away, spaces to hyphens. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/<[^>]*>|[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

/** A heading's anchor; one that is there already gets a number. */
export function nextAnchor(heading: string, taken: ReadonlySet<string>): string {
  const slug = slugOf(heading);
  let anchor = slug;
  for (let count = 1; taken.has(anchor); count += 1) {
    anchor = `${slug}-${count}`;
  }
  return anchor;
}

/** The `portolan` command lines of one line of shell. */
function commandsOf(line: string): string[] {
  return line
    .replace(/^\s*[$#]\s+(?=\S*portolan )/, "")
    .replace(/(^|\s)#\s.*$/, "")
    .split(/\s*(?:&&|\|\||[|;])\s+/)
    .map((part) => part.trim().replace(/^(?:sudo\s+|[A-Z_]+=\S*\s+)*/, ""))
    .filter((part) => /^(?:\S*\/)?portolan(?:\s|$)/.test(part))
    .map((part) => part.replace(/\s*[<>].*$/, ""));
}

type Found = { readonly links: DocumentLink[]; readonly commands: DocumentCommand[] };

function readBlockOfCode(block: Token & { text: string }, firstLine: number, found: Found): void {
  // A command may go on in the next line behind a backslash.
  const lines = block.text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = firstLine + index;
    let text = lines[index] ?? "";
    while (text.endsWith("\\") && index + 1 < lines.length) {
      index += 1;
      text = `${text.slice(0, -1)} ${lines[index]?.trim()}`;
    }
    for (const command of commandsOf(text)) {
      found.commands.push({ text: command, line, isComplete: true });
    }
  }
}

function readToken(token: Token, line: number, found: Found): void {
  if (token.type === "link" || token.type === "image") {
    found.links.push({ target: String(token["href"]), line });
  } else if (token.type === "html") {
    for (const [, target] of token.raw.matchAll(/\b(?:href|src|srcset)="([^"\s]+)/g)) {
      found.links.push({ target: target ?? "", line });
    }
  } else if (token.type === "codespan") {
    const text = String(token["text"]);
    for (const command of /^(?:\S*\/)?portolan /.test(text) ? commandsOf(text) : []) {
      found.commands.push({ text: command, line, isComplete: false });
    }
  } else if (token.type === "code" && shellLanguages.has(String(token["lang"] ?? ""))) {
    readBlockOfCode({ ...token, text: String(token["text"]) }, line + 1, found);
  }
}

/** What a Markdown text promises: its anchors, where it links to, and the commands it tells people to type. */
export function readDocument(path: string, text: string): Document {
  const anchors = new Set<string>();
  const found: Found = { links: [], commands: [] };
  let title = path;
  let line = 1;
  for (const block of lexer(text)) {
    const blockLine = line;
    // What it returns matters to callbacks that are asynchronous.
    void walkTokens([block], (token) => {
      const at = block.raw.indexOf(token.raw);
      readToken(token, blockLine + countLines(block.raw.slice(0, Math.max(at, 0))), found);
      if (token.type === "heading") {
        const heading = plainText(String(token["text"]));
        title = anchors.size === 0 ? heading : title;
        anchors.add(nextAnchor(heading, anchors));
      }
    });
    line += countLines(block.raw);
  }
  return { path, title, anchors, ...found };
}

function countLines(text: string): number {
  return text.split("\n").length - 1;
}

/** A heading without the marks of Markdown. */
export function plainText(markdown: string): string {
  return markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[`*]/g, "");
}
