import type { PackageResource } from "#api/package-api.ts";
import type { StoredPackage } from "#store/package-store.ts";
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
      await packages.remove((await packages.find(id)).id);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
