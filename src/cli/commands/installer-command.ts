import { resolve } from "node:path";
import { buildRouteMap } from "@stricli/core";
import type { InstallerResource } from "#api/installer-api.ts";
import { apiCommand, UsageError } from "../cli-context.ts";
import { followOperation } from "../follow-operation.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes, formatTime } from "../format-units.ts";
import { printable } from "../printable-text.ts";

function formatInstallers(installers: readonly InstallerResource[]): string {
  if (installers.length === 0) {
    return "no installer yet; portolan installer add NAME --kernel FILE --initrd FILE makes one";
  }
  const rows = installers.map(({ name, kernelVersion, isSigned, sizeBytes, description, createdAt }) => [
    name,
    printable(kernelVersion ?? "–"),
    isSigned ? "signed" : "not signed",
    formatBytes(sizeBytes),
    formatTime(createdAt),
    printable(description),
  ]);
  return formatTable(["name", "kernel", "for Secure Boot", "size", "added", "description"], rows);
}

function formatInstaller(found: InstallerResource): string {
  const { id, commandLine, kernelSizeBytes, sizeBytes, kernelSha256, initrdSha256, contentId } = found;
  return [
    formatInstallers([found]),
    "",
    `id            ${id}`,
    `command line  ${printable(commandLine)}`,
    `kernel        ${formatBytes(kernelSizeBytes)}  SHA-256 ${kernelSha256}`,
    `initrd        ${formatBytes(sizeBytes - kernelSizeBytes)}  SHA-256 ${initrdSha256}`,
    `content       ${contentId}`,
  ].join("\n");
}

export const installerCommand = buildRouteMap({
  docs: { brief: "Add, list and remove installers of distributions, which jobs start from preboot" },
  routes: {
    add: apiCommand<[string]>({
      brief: "Add a distribution's installer from its kernel and initrd on this machine",
      arguments: ["NAME"],
      flags: {
        kernel: { placeholder: "FILE", brief: "The installer's kernel (linux, vmlinuz)" },
        initrd: { placeholder: "FILE", brief: "The installer's initrd" },
        commandLine: { placeholder: "TEXT", brief: "Kernel arguments of every installation with it" },
        description: { placeholder: "TEXT", brief: "For people" },
      },
      run: async ({ client, args: [name], flags, isJson, stdout }) => {
        const { kernel, initrd, commandLine = "", description = "" } = flags;
        if (kernel === undefined || initrd === undefined) {
          throw new UsageError("name both files: --kernel FILE --initrd FILE");
        }
        const files = { kernel: resolve(kernel), initrd: resolve(initrd) };
        const operation = await client.call("addInstaller", {
          body: { name, ...files, commandLine, description },
        });
        return followOperation(client, operation, isJson ? null : stdout);
      },
    }),
    list: apiCommand({
      brief: "All installers, newest first",
      run: async ({ client }) => {
        const installers = await client.call("listInstallers");
        return { json: installers, text: formatInstallers(installers) };
      },
    }),
    show: apiCommand<[string]>({
      brief: "One installer, with the hashes of its files",
      arguments: ["INSTALLER"],
      run: async ({ client, args: [id] }) => {
        const found = await client.call("showInstaller", { id });
        return { json: found, text: formatInstaller(found) };
      },
    }),
    remove: apiCommand<[string]>({
      brief: "Remove an installer; jobs that carry it keep its content",
      arguments: ["INSTALLER"],
      run: async ({ client, args: [id] }) => {
        const answer = await client.call("removeInstaller", { id });
        return { json: answer, text: `installer ${id} removed` };
      },
    }),
  },
});
