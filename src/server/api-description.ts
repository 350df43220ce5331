import { z } from "zod";
import { routes } from "#api/contract.ts";
import { accessOf, type Route } from "#api/route.ts";
import { type ApiSchemas, describeSchemas, type JsonSchema } from "./api-schemas.ts";

function jsonBody(schema: JsonSchema | undefined): { readonly content: unknown } {
  return { content: { "application/json": { schema: schema ?? {} } } };
}

function describeParameters(route: Route): unknown[] {
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const query = z.toJSONSchema(route.query ?? z.object({}), { io: "input" });
  const inQuery = Object.entries(query.properties ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: (query.required ?? []).includes(name),
    schema,
  }));
  const isRepeatable = route.method !== "GET" && route.isToldOnce !== true;
  const key = { $ref: "#/components/parameters/IdempotencyKey" };
  return [...inPath, ...inQuery, ...(isRepeatable ? [key] : [])];
}

const pageHeaders = {
  link: { description: 'RFC 8288: the next page, as `rel="next"`', schema: { type: "string" } },
  "x-total-count": { description: "Items of all pages", schema: { type: "integer" } },
} as const;

/** Which refusals a caller of this route must expect; any of them is a problem of RFC 9457. */
function describeRefusals(route: Route): Record<string, unknown> {
  const isPublic = accessOf(route) === "public";
  const hasInput = route.body !== undefined || route.query !== undefined;
  const statuses = [
    ...(hasInput ? ["400"] : []),
    ...(isPublic ? [] : ["401", "403"]),
    ...(route.path.includes(":") ? ["404"] : []),
    ...(route.method === "GET" || route.isToldOnce === true ? [] : ["409", "422"]),
    "429",
    "503",
  ];
  const problem = { $ref: "#/components/responses/Problem" };
  return Object.fromEntries([...statuses, "default"].map((status) => [status, problem]));
}

/** What of it is left for an account that is limited to groups of computers. */
function describeScope({ scope }: Route): string {
  switch (scope) {
    case "computer":
      return "Limited accounts: for a computer in their groups.";
    case "group":
      return "Limited accounts: for their groups and what is nested in them.";
    case "named":
      return "Limited accounts: refused when it names or touches a computer outside of their groups.";
    case "filtered":
      return "Limited accounts get what is in their groups.";
    case "site":
      return "Refused to limited accounts.";
    default:
      return "Open to limited accounts.";
  }
}

function describeOperation(name: string, route: Route, schemas: ApiSchemas): Record<string, unknown> {
  const access = accessOf(route);
  const headers = route.pagedBy === undefined ? {} : { headers: pageHeaders };
  return {
    operationId: name,
    tags: [route.path.split("/")[1]],
    summary: route.summary,
    description:
      access === "public" ? "For everybody." : `For the role ${access} and above. ${describeScope(route)}`,
    parameters: describeParameters(route),
    ...(access === "public" ? { security: [] } : {}),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, ...jsonBody(schemas.bodies.get(name)) } }),
    responses: {
      "200": { description: route.summary, ...headers, ...jsonBody(schemas.answers.get(name)) },
      ...describeRefusals(route),
    },
  };
}

const components = {
  securitySchemes: {
    token: {
      type: "http",
      scheme: "bearer",
      description: "An API token: `portolan token create NAME ROLE`",
    },
  },
  parameters: {
    IdempotencyKey: {
      name: "Idempotency-Key",
      in: "header",
      description:
        "Sent again with the same key within a day, the request is not done again: its first answer comes.",
      schema: { type: "string", minLength: 1, maxLength: 128 },
    },
  },
  responses: {
    Problem: {
      description: "What was wrong and what to do (RFC 9457)",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    },
  },
} as const;

/** OpenAPI 3.1, made from the contract. WebSockets are in `docs/operating/api.md`: the format has no words for them. */
export function describeApi(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  const schemas = describeSchemas();
  const entries = Object.entries(routes) as [string, Route][];
  for (const [name, route] of entries) {
    const path = `/api/v1${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeOperation(name, route, schemas) };
  }
  const tags = [...new Set(entries.map(([, { path }]) => path.split("/")[1] ?? ""))].toSorted();
  return {
    openapi: "3.1.0",
    info: {
      title: "Portolan",
      version,
      description: "Everything that the command line and the console do.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The server that this document comes from" }],
    tags: tags.map((name) => ({ name, description: `Routes below /api/v1/${name}` })),
    components: { ...components, schemas: schemas.named },
    security: [{ token: [] }],
    paths,
  };
}
