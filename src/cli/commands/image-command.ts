import { resolve } from "node:path";
import { buildRouteMap } from "@stricli/core";
import type { ImageResource } from "#api/image-api.ts";
import { apiCommand } from "../cli-context.ts";
import { watchJob } from "../job-progress.ts";
import { diskOption, parseDiskRule } from "../restore-flags.ts";
import { answerForJob } from "./job-command.ts";
import { followOperation } from "../follow-operation.ts";
import { formatTable } from "../format-table.ts";
import { formatBytes, formatTime } from "../format-units.ts";

function formatImages(images: readonly ImageResource[]): string {
  if (images.length === 0) {
    return "no image yet; portolan image import FILE NAME makes one";
  }
  const rows = images.map((image) => [
    image.name,
    image.id.slice(0, 12),
    formatBytes(image.sizeBytes),
    formatBytes(image.dataChunkCount * image.chunkSizeBytes),
    image.storedBytes === null ? "-" : formatBytes(image.storedBytes),
    formatTime(image.createdAt),
  ]);
  return formatTable(["name", "id", "disk size", "data", "stored", "created"], rows);
}

export const imageCommand = buildRouteMap({
  docs: { brief: "Import, list and verify images" },
  routes: {
    import: apiCommand<[string, string]>({
      brief: "Import a raw disk from this machine",
      arguments: ["FILE", "NAME"],
      run: async ({ client, args: [path, name], isJson, stdout }) => {
        const operation = await client.call("importImage", { body: { path: resolve(path), name } });
        return followOperation(client, operation, isJson ? null : stdout);
      },
    }),
    capture: apiCommand<[string]>({
      brief: "Make an image of a computer's disk, in preboot",
      arguments: ["COMPUTER"],
      flags: {
        name: { brief: "Name of the image; the computer's name unless said", placeholder: "NAME" },
        disk: diskOption,
      },
      switches: { force: { brief: "Take it although something is in the way" } },
      run: async ({ client, args: [computer], flags: { name, disk }, switches, isJson, stdout }) => {
        const found = await client.call("showComputer", { id: computer });
        const imageName = name ?? found.name;
        const task = {
          kind: "capture-image" as const,
          image: imageName,
          isForced: switches["force"] === true,
          ...(disk === undefined ? {} : { disk: parseDiskRule(disk) }),
        };
        const job = await client.call("createJob", {
          body: { name: `capture ${imageName}`, tasks: [task], computers: [found.id] },
        });
        return answerForJob(await watchJob(client, job.id, isJson ? null : stdout));
      },
    }),
    list: apiCommand({
      brief: "All images",
      run: async ({ client }) => {
        const images = await client.call("listImages");
        return { json: images, text: formatImages(images) };
      },
    }),
    show: apiCommand<[string]>({
      brief: "One image",
      arguments: ["IMAGE"],
      run: async ({ client, args: [id] }) => {
        const image = await client.call("showImage", { id });
        return { json: image, text: `${formatImages([image])}\n\nid ${image.id}` };
      },
    }),
    verify: apiCommand<[string]>({
      brief: "Read every chunk and check its hash",
      arguments: ["IMAGE"],
      run: async ({ client, args: [id], isJson, stdout }) => {
        const operation = await client.call("verifyImage", { id });
        const answer = await followOperation(client, operation, isJson ? null : stdout);
        return answer.exitCode === 1 ? { ...answer, exitCode: 3 } : answer;
      },
    }),
  },
});
