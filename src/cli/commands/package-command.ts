import { resolve } from "node:path";
import { buildRouteMap } from "@stricli/core";
import type { PackageResource } from "#api/package-api.ts";
import { apiCommand, type FlagValues, UsageError } from "../cli-context.ts";
import { followOperation } from "../follow-operation.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes, formatTime } from "../format-units.ts";
import { printable } from "../printable-text.ts";

function formatPackages(packages: readonly PackageResource[]): string {
  if (packages.length === 0) {
    return "no package yet; portolan package add FILE|DIR makes one";
  }
  const rows = packages.map(({ name, version, kind, sizeBytes, dependsOn, createdAt }) => [
    name,
    version,
    kind,
    formatBytes(sizeBytes),
    dependsOn.join(", "),
    formatTime(createdAt),
  ]);
  return formatTable(["name", "version", "kind", "size", "needs", "added"], rows);
}

function formatPackage(found: PackageResource): string {
  const { id, fileName, args, uninstall, detection, timeoutMs, contentId } = found;
  return [
    formatPackages([found]),
    "",
    `id         ${id}`,
    `file       ${printable(fileName)}`,
    `arguments  ${printable(args.join(" "))}`,
    `uninstall  ${printable(uninstall.join(" "))}`,
    `detection  ${printable(JSON.stringify(detection))}`,
    `time limit ${timeoutMs / 1000} s`,
    `content    ${contentId}`,
  ].join("\n");
}

/** Words apart by blanks; a word with blanks stands in double quotes. */
function splitWords(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
}

/** `file:/opt/tool/bin`, `package:tool`, `package:tool=1.2`, `record`, `command:/usr/bin/test -x /opt/tool`. */
function parseDetection(text: string) {
  const [type = "", rest = ""] = text.split(/:(.*)/s);
  switch (type) {
    case "record":
      return { type } as const;
    case "file":
      return { type, path: rest } as const;
    case "package": {
      const [name = "", version] = rest.split("=");
      return { type, name, ...(version === undefined ? {} : { version }) } as const;
    }
    case "command": {
      const [program = "", ...args] = splitWords(rest);
      return { type, program, args } as const;
    }
    default:
      throw new UsageError(
        `--detect ${text}: it is record, file:PATH, package:NAME[=VERSION] or command:PROGRAM ARGUMENTS`,
      );
  }
}

function readDescription(flags: FlagValues) {
  const { name, version, args, uninstall, detect, needs } = flags;
  return {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(args === undefined ? {} : { args: splitWords(args) }),
    ...(uninstall === undefined ? {} : { uninstall: splitWords(uninstall) }),
    ...(detect === undefined ? {} : { detection: parseDetection(detect) }),
    ...(needs === undefined ? {} : { dependsOn: needs.split(",").map((word) => word.trim()) }),
  };
}

export const packageCommand = buildRouteMap({
  docs: { brief: "Add, list and remove software to install" },
  routes: {
    add: apiCommand<[string]>({
      brief: "Add a deb, rpm, msi, exe or pkg, or a folder as a bundle, from this machine",
      arguments: ["PATH"],
      flags: {
        name: { placeholder: "NAME", brief: "Where the file does not say it" },
        version: { placeholder: "VERSION", brief: "Where the file does not say it" },
        args: { placeholder: "WORDS", brief: "Silent arguments, such as /S" },
        uninstall: { placeholder: "COMMAND", brief: "Program and arguments that remove it" },
        detect: { placeholder: "RULE", brief: "record, file:PATH, package:NAME[=VERSION], command:PROGRAM" },
        needs: { placeholder: "NAMES", brief: "Packages that must be there first, with commas" },
      },
      run: async ({ client, args: [path], flags, isJson, stdout }) => {
        const body = { path: resolve(path), description: readDescription(flags) };
        const operation = await client.call("addPackage", { body });
        return followOperation(client, operation, isJson ? null : stdout);
      },
    }),
    list: apiCommand({
      brief: "All packages, newest first",
      run: async ({ client }) => {
        const packages = await client.call("listPackages");
        return { json: packages, text: formatPackages(packages) };
      },
    }),
    show: apiCommand<[string]>({
      brief: "One package",
      arguments: ["PACKAGE"],
      run: async ({ client, args: [id] }) => {
        const found = await client.call("showPackage", { id });
        return { json: found, text: formatPackage(found) };
      },
    }),
    remove: apiCommand<[string]>({
      brief: "Remove a package; jobs that carry it keep its content",
      arguments: ["PACKAGE"],
      run: async ({ client, args: [id] }) => {
        const answer = await client.call("removePackage", { id });
        return { json: answer, text: `package ${id} removed` };
      },
    }),
  },
});
