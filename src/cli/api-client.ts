import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { WebSocket } from "ws";
import { z } from "zod";
import { liveProtocol } from "#api/live-api.ts";
import { problemSchema } from "#api/values.ts";
import {
  type RouteBody,
  type RouteName,
  type RouteQuery,
  type RouteResponse,
  routes,
} from "#api/contract.ts";
import type { Route } from "#api/route.ts";

/** Where the server is and how to be let in; the server writes this file for its own machine's administrator. */
const accessSchema = z.object({ url: z.string(), token: z.string(), caPem: z.string() });

export class ApiClientError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ApiClientError";
    this.code = code;
  }
}

export type ApiClient = {
  /** Opens a WebSocket of the API, such as a terminal. `path` is below the server's address, with its query. */
  connect(path: string): WebSocket;
  call<Name extends RouteName>(
    name: Name,
    input?: { readonly id?: string; readonly query?: RouteQuery<Name>; readonly body?: RouteBody<Name> },
  ): Promise<RouteResponse<Name>>;
};

const responseSizeBytesMax = 64 << 20;

function readAccess(dataDir: string): z.infer<typeof accessSchema> {
  const path = join(dataDir, "admin.json");
  try {
    return accessSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") {
      throw new ApiClientError(
        "no-server",
        `no server has run with the data directory ${dataDir}; start one with portolan serve, or name another directory with --data`,
        { cause: error },
      );
    }
    if (code === "EACCES") {
      throw new ApiClientError(
        "no-privilege",
        `${path} may be read by the administrator only; run this as root`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

function send(
  access: z.infer<typeof accessSchema>,
  route: Route,
  path: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  const payload = body === undefined ? null : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      new URL(`/api/v1${path}`, access.url),
      {
        method: route.method,
        ca: access.caPem,
        timeout: 60_000,
        headers: {
          authorization: `Bearer ${access.token}`,
          ...(payload === null
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }),
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        let sizeBytes = 0;
        response.on("data", (part: Buffer) => {
          sizeBytes += part.byteLength;
          if (sizeBytes > responseSizeBytesMax) {
            call.destroy(new Error("the answer is too large"));
            return;
          }
          parts.push(part);
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
        );
        response.on("error", reject);
      },
    );
    call.on("timeout", () => call.destroy(new Error("no answer within 60 s")));
    call.on("error", reject);
    call.end(payload ?? undefined);
  });
}

/** `?name=value&…` of what is given, or nothing. */
function queryText(query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ""
    : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}

/** A client for the server whose data directory is on this machine. */
export function createApiClient(dataDir: string): ApiClient {
  return {
    connect(path) {
      const access = readAccess(dataDir);
      return new WebSocket(new URL(path, access.url.replace(/^https/, "wss")), liveProtocol, {
        ca: access.caPem,
        headers: { authorization: `Bearer ${access.token}` },
        handshakeTimeout: 60_000,
      });
    },
    async call(name, input = {}) {
      // Read at each call: a server that was restarted has written a new one.
      const access = readAccess(dataDir);
      const route: Route = routes[name];
      const path =
        route.path.replace(":id", encodeURIComponent(input.id ?? "")) + queryText(input.query ?? {});
      const answer = await send(access, route, path, input.body).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        throw new ApiClientError(
          "no-server",
          `the server at ${access.url} does not answer (${reason}); is portolan serve running?`,
          { cause: error },
        );
      });
      const parsed: unknown = JSON.parse(answer.text);
      if (answer.status !== 200) {
        const { code, detail } = problemSchema.parse(parsed);
        throw new ApiClientError(code, detail);
      }
      // The contract's type for this route; the loop over names cannot know which.
      return route.response.parse(parsed) as RouteResponse<typeof name>;
    },
  };
}
