import { exporters, exportFormats } from "#plan/export/exporters.ts";
import type { ApiHandlers } from "../api-server.ts";
import { exportFor, readExportFormat, readExportInput } from "../plan-exports.ts";
import { bundleServerPlan } from "../plan-bundle.ts";
import { lintServer } from "../plan-lint.ts";
import type { PortolanServer } from "../server.ts";

export function planExportHandlers(server: PortolanServer, version: string) {
  return {
    listExportFormats: async () =>
      exportFormats.map((format) => ({
        format,
        title: exporters[format].title,
        device: exporters[format].device,
      })),
    bundlePlan: async ({ query }) => {
      const { fileName, archive, manifest } = bundleServerPlan(server, query, version);
      return { fileName, archiveBase64: Buffer.from(archive).toString("base64"), manifest };
    },
    lintPlan: async () => lintServer(server),
    exportPlan: async ({ id, query }) => exportFor(readExportFormat(id), readExportInput(server, query)),
  } satisfies Partial<ApiHandlers>;
}
