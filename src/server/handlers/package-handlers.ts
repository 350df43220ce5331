import type { PackageResource } from "#api/package-api.ts";
import type { StoredPackage } from "#store/package-store.ts";
import { ApiError } from "../api-error.ts";
import type { ApiHandlers } from "../api-server.ts";
import { importPackage } from "../package-import.ts";
import type { PortolanServer } from "../server.ts";

function toPackage({ id, definition, contentId, sizeBytes, createdAtMs }: StoredPackage): PackageResource {
  const { name, version, kind, fileName, args, uninstall, detection, dependsOn, timeoutMs } = definition;
  return {
    ...{ id, name, version, kind, fileName, detection, timeoutMs, contentId, sizeBytes },
    args: [...args],
    uninstall: [...uninstall],
    dependsOn: [...dependsOn],
    createdAt: createdAtMs,
  };
}

/** Packages name each other without a version: the last one of a name that others need must stay. @throws ApiError 409 */
function requireUnneeded({ id, definition: { name } }: StoredPackage, all: readonly StoredPackage[]): void {
  const needing = all.filter(({ definition }) => definition.dependsOn.includes(name));
  const hasAnother = all.some((one) => one.definition.name === name && one.id !== id);
  if (needing.length > 0 && !hasAnother) {
    const words = needing.map(({ definition }) => `${definition.name}=${definition.version}`);
    throw new ApiError(
      409,
      "in-use",
      `${name} is needed by ${words.join(", ")}; remove what needs it first, with portolan package remove ${words[0]}`,
    );
  }
}

export function packageHandlers(server: PortolanServer) {
  const { packages, chunks, clock, operations } = server;
  return {
    listPackages: async () => (await packages.list()).map(toPackage),
    showPackage: async ({ id }) => toPackage(await packages.find(id)),
    addPackage: async ({ body }) =>
      operations.start(`add ${body.path}`, async (report) => {
        const stored = await importPackage(
          { chunks, packages },
          body.path,
          body.description,
          clock.epochMs(),
          ({ doneBytes, totalBytes }) =>
            report({
              percent: (100 * doneBytes) / totalBytes,
              detail: `${doneBytes} of ${totalBytes} bytes`,
            }),
        );
        const { name, version, kind } = stored.definition;
        return {
          result: { packageId: stored.id, name, version },
          detail: `package ${name} ${version} (${kind}), ${stored.sizeBytes} bytes`,
        };
      }),
    removePackage: async ({ id }) => {
      const stored = await packages.find(id);
      requireUnneeded(stored, await packages.list());
      await packages.remove(stored.id);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
