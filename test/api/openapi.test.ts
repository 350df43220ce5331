import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { routes } from "#api/contract.ts";
import { describeApi } from "#server/api-description.ts";

const text = readFileSync("docs/openapi.json", "utf8");

test("OpenAPI: the published document passes the linter's recommended rules", async () => {
  const config = await createConfig({
    extends: ["recommended"],
  });
  const problems = await lintFromString({ source: text, absoluteRef: "openapi.json", config });
  const shown = problems.map(
    ({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`,
  );
  assert.deepEqual(shown, []);
});

test("OpenAPI: the linter does find what is wrong", async () => {
  const document = JSON.parse(text) as { paths: Record<string, Record<string, { operationId: string }>> };
  const [first, second] = Object.values(document.paths);
  const operation = Object.values(second ?? {})[0];
  if (operation !== undefined) {
    operation.operationId = Object.values(first ?? {})[0]?.operationId ?? "";
  }
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lintFromString({
    source: JSON.stringify(document),
    absoluteRef: "openapi.json",
    config,
  });
  assert.ok(problems.some(({ ruleId }) => ruleId === "operation-operationId-unique"));
});

test("OpenAPI: every route of the contract is in the document, and nothing else", () => {
  const { paths } = describeApi("0") as { paths: Record<string, Record<string, { operationId: string }>> };
  const described = Object.values(paths).flatMap((operations) =>
    Object.values(operations).map(({ operationId }) => operationId),
  );
  assert.deepEqual(new Set(described), new Set(Object.keys(routes)));
  assert.equal(described.length, Object.keys(routes).length);
});
