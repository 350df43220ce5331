import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { contentSecurityPolicy } from "./accounts/request-guard.ts";

type ConsoleFile = {
  readonly bytes: Buffer;
  readonly gzip: Buffer;
  readonly type: string;
  readonly tag: string;
};

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

const missingPage = `<!doctype html><meta charset="utf-8"><title>Portolan</title>
<h1>The console has not been built</h1>
<p>Run <code>npm run setup</code> in the checkout, then start the server again. The command line and the API work without it.</p>`;

/** Reads the built console once, so that no request ever names a path on the disk. BOUNDED by what the build wrote. */
function readConsole(folder: string): Map<string, ConsoleFile> {
  const files = new Map<string, ConsoleFile>();
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return files;
    }
    throw error;
  }
  for (const name of names) {
    const type = types[extname(name)];
    if (type !== undefined) {
      const bytes = readFileSync(join(folder, name));
      const tag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
      files.set(`/${name.replaceAll("\\", "/")}`, { bytes, gzip: gzipSync(bytes), type, tag });
    }
  }
  return files;
}

/** Terminal and desktop write their own style elements; styles can draw a page wrongly, but run nothing. */
const remotePolicy = contentSecurityPolicy
  .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
  .replace("; require-trusted-types-for 'script'", "");

/** Serves the console: its files by name, and its one page for every address that is not the API's. */
export function serveConsole(app: FastifyInstance, folder: string): void {
  const files = readConsole(folder);
  const page = files.get("/index.html");
  const send = (request: FastifyRequest, reply: FastifyReply, file: ConsoleFile): FastifyReply => {
    const isNamedByContent = request.url.startsWith("/assets/");
    reply
      .header("cache-control", isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache")
      .header("etag", file.tag)
      .header("vary", "accept-encoding")
      .type(file.type);
    if (request.headers["if-none-match"] === file.tag) {
      return reply.status(304).send();
    }
    const takesGzip = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
    return takesGzip ? reply.header("content-encoding", "gzip").send(file.gzip) : reply.send(file.bytes);
  };
  for (const [path, file] of files) {
    if (path !== "/index.html") {
      app.get(path, { config: { access: "public" } }, (request, reply) => {
        if (path === "/remote.html") {
          reply.header("content-security-policy", remotePolicy);
        }
        return send(request, reply, file);
      });
    }
  }
  const sendPage = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    page === undefined
      ? reply.status(503).type("text/html; charset=utf-8").send(missingPage)
      : send(request, reply, page);
  for (const path of consolePaths) {
    app.get(path, { config: { access: "public" } }, sendPage);
  }
}

/** First words of the console's addresses. */
const consolePaths = [
  "/",
  ...[
    "login",
    "setup",
    "computers",
    "jobs",
    "images",
    "sessions",
    "plan",
    "options",
    "boot",
    "packages",
    "people",
    "audit",
    "guide",
  ].flatMap((word) => [`/${word}`, `/${word}/*`]),
];
