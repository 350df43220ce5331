import { routes } from "virtual:routes";
import type { RouteBody, RouteName, RouteQuery, RouteResponse } from "#api/contract.ts";
import { readProof } from "./proof.ts";

/** What the server answered instead: `code` for programs, `message` for people. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
    this.code = code;
  }
}

export type CallInput<Name extends RouteName> = {
  readonly id?: string;
  readonly body?: RouteBody<Name>;
  readonly query?: RouteQuery<Name>;
};

function pathOf(path: string, input: { readonly id?: string; readonly query?: unknown }): string {
  const filled = path.replace(":id", encodeURIComponent(input.id ?? ""));
  const pairs = Object.entries(input.query ?? {}).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
  return `/api/v1${filled}${search === "" ? "" : `?${search}`}`;
}

async function readError(response: Response): Promise<ApiFailure> {
  const body: unknown = await response.json().catch(() => null);
  // The server's problem (RFC 9457); anything else comes from something in between.
  const { code, detail } = (body ?? {}) as { code?: string; detail?: string };
  return new ApiFailure(
    response.status,
    code ?? "failed",
    detail ?? `the server answered ${response.status}`,
  );
}

/** Calls a route of the contract. @throws ApiFailure */
export async function call<Name extends RouteName>(
  name: Name,
  input: CallInput<Name> = {},
): Promise<RouteResponse<Name>> {
  const [method, path] = routes[name] ?? ["GET", ""];
  const proof = readProof();
  const response = await fetch(pathOf(path, input), {
    method,
    credentials: "same-origin",
    headers: {
      ...(proof === null ? {} : { "x-portolan-proof": proof }),
      ...(input.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
  }).catch((error: unknown) => {
    throw new ApiFailure(0, "no-server", `the server does not answer: ${String(error)}`);
  });
  if (!response.ok) {
    throw await readError(response);
  }
  // The server checked its answer against the contract's type.
  return (await response.json()) as RouteResponse<Name>;
}
