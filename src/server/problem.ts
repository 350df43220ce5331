import { STATUS_CODES } from "node:http";
import type { Problem } from "#api/values.ts";
import { SettingError } from "#plan/setting-rules.ts";
import { ApiError } from "./api-error.ts";

export const problemType = "application/problem+json";

export type ProblemAnswer = {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  /** True when it is our fault, and not the caller's. */
  readonly isFault: boolean;
};

export function createProblem(status: number, code: string, detail: string): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail, code };
}

/** What the HTTP layer refuses before a route sees it, by Fastify's own code. */
const layerCodes: Readonly<Record<string, { readonly code: string; readonly detail: string | null }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: "body-too-large",
    detail: "the body is larger than 1 MiB; files go by path",
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: "bad-media-type", detail: "send the body as application/json" },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: "bad-json", detail: "the body is not valid JSON" },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: "bad-json", detail: "the body is empty, and said to be JSON" },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: "bad-request", detail: null },
  FST_ERR_BAD_URL: { code: "bad-url", detail: "the path of the request cannot be decoded" },
};

/** RFC 9457: every answer that is no success, whoever found it out. */
export function describeProblem(error: unknown): ProblemAnswer {
  if (error instanceof ApiError) {
    const { status, code, message, retryAfterMs } = error;
    const headers = {
      ...(status === 401 ? { "www-authenticate": 'Bearer realm="portolan"' } : {}),
      ...(retryAfterMs === null ? {} : { "retry-after": String(Math.ceil(retryAfterMs / 1000)) }),
    };
    return { problem: createProblem(status, code, message), headers, isFault: false };
  }
  if (error instanceof SettingError) {
    return { problem: createProblem(400, error.code, error.message), headers: {}, isFault: false };
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : null;
  const message = error instanceof Error ? error.message : String(error);
  if (code === "not-found") {
    return { problem: createProblem(404, code, message), headers: {}, isFault: false };
  }
  if (error instanceof Error && "statusCode" in error && Number(error.statusCode) < 500) {
    const known = layerCodes[code ?? ""];
    const status = Number(error.statusCode);
    const isJson = error instanceof SyntaxError;
    const found = known?.code ?? (isJson ? "bad-json" : "bad-request");
    return { problem: createProblem(status, found, known?.detail ?? message), headers: {}, isFault: false };
  }
  return {
    problem: createProblem(503, "failed", `the server could not do this: ${message}`),
    headers: { "retry-after": "5" },
    isFault: true,
  };
}

/** The same as bytes, for connections that are not (yet) HTTP requests of the API. */
export function formatRawProblem(problem: Problem): string {
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
