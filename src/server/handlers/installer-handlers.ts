import type { InstallerResource } from "#api/installer-api.ts";
import type { StoredInstaller } from "#store/installer-store.ts";
import type { ApiHandlers } from "../api-server.ts";
import { importInstaller } from "../installer-import.ts";
import type { PortolanServer } from "../server.ts";

function toInstaller({
  id,
  definition,
  contentId,
  sizeBytes,
  createdAtMs,
}: StoredInstaller): InstallerResource {
  return { id, ...definition, contentId, sizeBytes, createdAt: createdAtMs };
}

export function installerHandlers(server: PortolanServer) {
  const { installers, packages, chunks, clock, operations } = server;
  return {
    listInstallers: async () => (await installers.list()).map(toInstaller),
    showInstaller: async ({ id }) => toInstaller(await installers.find(id)),
    addInstaller: async ({ body }) =>
      operations.start(`add ${body.name}`, async (report) => {
        const stored = await importInstaller(
          { chunks, packages, installers },
          body,
          clock.epochMs(),
          ({ doneBytes, totalBytes }) =>
            report({
              percent: (100 * doneBytes) / totalBytes,
              detail: `${doneBytes} of ${totalBytes} bytes`,
            }),
        );
        const { name, kernelVersion, isSigned } = stored.definition;
        const kernel = `kernel ${kernelVersion ?? "of no known version"}, ${isSigned ? "signed" : "not signed: not for Secure Boot"}`;
        return {
          result: { installerId: stored.id, name },
          detail: `installer ${name} (${kernel}), ${stored.sizeBytes} bytes`,
        };
      }),
    removeInstaller: async ({ id }) => {
      await installers.remove((await installers.find(id)).id);
      return { ok: true as const };
    },
  } satisfies Partial<ApiHandlers>;
}
