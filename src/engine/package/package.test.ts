import assert from "node:assert/strict";
import { test } from "node:test";
import { orderByDependency, type PackageDefinition, PackageError } from "./package.ts";

type Item = { readonly definition: PackageDefinition };

function shelf(needs: Readonly<Record<string, readonly string[]>>): (name: string) => Item | null {
  return (name) => {
    const dependsOn = needs[name];
    return dependsOn === undefined
      ? null
      : {
          definition: {
            ...{ name, version: "1", kind: "bundle", fileName: "x.tar", args: [], uninstall: [] },
            ...{ detection: { type: "record" }, dependsOn, timeoutMs: 1000 },
          },
        };
  };
}

function order(needs: Readonly<Record<string, readonly string[]>>, wanted: string): string[] {
  const find = shelf(needs);
  const item = find(wanted);
  assert.ok(item);
  return orderByDependency(item, find).map(({ definition }) => definition.name);
}

test("packages: what others depend on comes first, each once", () => {
  assert.deepEqual(order({ app: ["lib", "font"], lib: ["base"], font: ["base"], base: [] }, "app"), [
    "base",
    "lib",
    "font",
    "app",
  ]);
});

test("packages: a missing one and a circle are named", () => {
  assert.throws(() => order({ app: ["lib"] }, "app"), /app depends on lib, which is not here/);
  assert.throws(
    () => order({ a: ["b"], b: ["c"], c: ["a"] }, "a"),
    (error) => error instanceof PackageError && /a → b → c → a/.test(error.message),
  );
});
