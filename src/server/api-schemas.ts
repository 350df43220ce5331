import { z } from "zod";
import { auditSchema, meSchema, tokenSchema, userSchema } from "#api/account-api.ts";
import { agentStateSchema, computerEventSchema } from "#api/agent-api.ts";
import { bootEventSchema } from "#api/boot-api.ts";
import { computerSchema } from "#api/computer-api.ts";
import { routes } from "#api/contract.ts";
import { groupSchema } from "#api/group-api.ts";
import { imageSchema } from "#api/image-api.ts";
import { installerSchema } from "#api/installer-api.ts";
import { createJobSchema, jobSchema, previewSchema, runSchema } from "#api/job-api.ts";
import { conditionSchema, scheduleSchema, windowSchema } from "#api/job-values.ts";
import { detectionSchema, packageSchema } from "#api/package-api.ts";
import { remoteSessionSchema } from "#api/remote-api.ts";
import type { Route } from "#api/route.ts";
import { segmentSchema } from "#api/segment-api.ts";
import { operationSchema, serverSchema } from "#api/server-api.ts";
import { sessionSchema } from "#api/session-api.ts";
import { diskRuleSchema, restoreSchema, taskSchema } from "#api/task-schema.ts";
import { nothingSchema, problemSchema } from "#api/values.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** What several answers hold, by the name that the document gives it. */
const answerNames: Readonly<Record<string, z.ZodType>> = {
  Problem: problemSchema,
  Nothing: nothingSchema,
  Me: meSchema,
  User: userSchema,
  Token: tokenSchema,
  AuditEntry: auditSchema,
  AgentState: agentStateSchema,
  BootEvent: bootEventSchema,
  Computer: computerSchema,
  ComputerEvent: computerEventSchema,
  Group: groupSchema,
  Image: imageSchema,
  Installer: installerSchema,
  Job: jobSchema,
  JobPreview: previewSchema,
  Run: runSchema,
  Operation: operationSchema,
  Package: packageSchema,
  RemoteSession: remoteSessionSchema,
  Segment: segmentSchema,
  Server: serverSchema,
  Session: sessionSchema,
};

/** The same for requests. */
const requestNames: Readonly<Record<string, z.ZodType>> = {
  NewJob: createJobSchema,
  Task: taskSchema,
  DiskRule: diskRuleSchema,
  RestoreOptions: restoreSchema,
  Condition: conditionSchema,
  Schedule: scheduleSchema,
  MaintenanceWindow: windowSchema,
  Detection: detectionSchema,
};

const pathOf = (name: string): string => `#/components/schemas/${name}`;

/** JSON Schemas of many shapes, in which those that have names stand by reference. */
function describeShapes(
  names: Readonly<Record<string, z.ZodType>>,
  shapes: ReadonlyMap<string, z.ZodType>,
  io: "input" | "output",
): { readonly named: Record<string, JsonSchema>; readonly shapes: ReadonlyMap<string, JsonSchema> } {
  const registry = z.registry<{ id: string }>();
  const nameOf = new Map(Object.entries(names).map(([name, schema]) => [schema, name]));
  for (const [name, schema] of Object.entries(names)) {
    registry.add(schema, { id: name });
  }
  for (const [key, schema] of shapes) {
    if (!registry.has(schema)) {
      registry.add(schema, { id: key });
    }
  }
  const { schemas } = z.toJSONSchema(registry, { io, uri: pathOf, unrepresentable: "any" });
  const read = (key: string): JsonSchema => {
    const { $schema: _schema, $id: _id, ...rest } = schemas[key] ?? {};
    return rest;
  };
  const described = [...shapes].map(([key, schema]): [string, JsonSchema] => {
    const name = nameOf.get(schema);
    const id = registry.get(schema)?.id ?? key;
    return [key, name === undefined ? read(id) : { $ref: pathOf(name) }];
  });
  return {
    named: Object.fromEntries(Object.keys(names).map((name) => [name, read(name)])),
    shapes: new Map(described),
  };
}

export type ApiSchemas = {
  /** For `components`. */
  readonly named: Readonly<Record<string, JsonSchema>>;
  /** By name of the route. */
  readonly bodies: ReadonlyMap<string, JsonSchema>;
  readonly answers: ReadonlyMap<string, JsonSchema>;
};

/** Every shape of the contract as JSON Schema. */
export function describeSchemas(): ApiSchemas {
  const entries = Object.entries(routes) as [string, Route][];
  const bodies = entries.flatMap(([name, { body }]): [string, z.ZodType][] =>
    body === undefined ? [] : [[name, body]],
  );
  const answers = entries.map(([name, { response }]): [string, z.ZodType] => [name, response]);
  const input = describeShapes(requestNames, new Map(bodies), "input");
  const output = describeShapes(answerNames, new Map(answers), "output");
  return {
    named: { ...input.named, ...output.named },
    bodies: input.shapes,
    answers: output.shapes,
  };
}
