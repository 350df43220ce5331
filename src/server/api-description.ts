import { z } from "zod";
import { routes } from "#api/contract.ts";
import { accessOf, type Route } from "#api/route.ts";

function jsonBody(schema: z.ZodType, io: "input" | "output"): { readonly content: unknown } {
  return {
    content: { "application/json": { schema: z.toJSONSchema(schema, { io, unrepresentable: "any" }) } },
  };
}

function describeQuery(route: Route): unknown[] {
  if (route.query === undefined) {
    return [];
  }
  const schema = z.toJSONSchema(route.query, { io: "input", unrepresentable: "any" });
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    in: "query",
    required: (schema.required ?? []).includes(name),
    schema: property,
  }));
}

/** OpenAPI 3.1, made from the contract at each request for it. */
export function describeApi(version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(routes) as [string, Route][]) {
    const path = `/api/v1${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    const access = accessOf(route);
    const parameters = [...route.path.matchAll(/:(\w+)/g)].map(([, parameter]) => ({
      name: parameter,
      in: "path",
      required: true,
      schema: { type: "string" },
    }));
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: {
        operationId: name,
        summary: route.summary,
        description: access === "public" ? "For everybody." : `For the role ${access} and above.`,
        parameters: [...parameters, ...describeQuery(route)],
        ...(access === "public" ? { security: [] } : {}),
        ...(route.body === undefined
          ? {}
          : { requestBody: { required: true, ...jsonBody(route.body, "input") } }),
        responses: {
          "200": { description: route.summary, ...jsonBody(route.response, "output") },
          default: { $ref: "#/components/responses/error" },
        },
      },
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Portolan", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      responses: {
        error: {
          description: "What was wrong and what to do",
          content: {
            "application/json": {
              schema: {
                type: "object",
                required: ["error"],
                properties: {
                  error: {
                    type: "object",
                    required: ["code", "message"],
                    properties: { code: { type: "string" }, message: { type: "string" } },
                  },
                },
              },
            },
          },
        },
      },
    },
    security: [{ token: [] }],
    paths,
  };
}
