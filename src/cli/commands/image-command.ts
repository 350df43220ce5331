import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { buildRouteMap } from "@stricli/core";
import type { ArrivingImageResource, ImageDetail, ImageResource, StorageResource } from "#api/image-api.ts";
import { apiCommand, resolveDataDir, UsageError } from "../cli-context.ts";
import { printable } from "../printable-text.ts";
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

function describeArrival({ stage, doneBytes, totalBytes }: ArrivingImageResource): string {
  const share = totalBytes === 0 ? "" : ` ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
  return `${printable(stage ?? "begins")}${share}`;
}

function formatArriving(images: readonly ArrivingImageResource[]): string {
  if (images.length === 0) {
    return "no image is arriving; portolan deploy IMAGE --from COMPUTER COMPUTER… sends one while it comes";
  }
  const rows = images.map((image) => [
    printable(image.name),
    image.id?.slice(0, 12) ?? "-",
    image.sizeBytes === null ? "-" : formatBytes(image.sizeBytes),
    printable(image.computerName),
    image.chunkCount === null ? "-" : `${image.arrivedChunkCount ?? 0} of ${image.chunkCount} chunks`,
    describeArrival(image),
  ]);
  return formatTable(["arriving", "id", "disk size", "from", "here", "now"], rows);
}

function formatStorage({ chunkCount, storedBytes, unusedBytes, imagesBytes }: StorageResource): string {
  const saved = Math.max(0, imagesBytes - (storedBytes - unusedBytes));
  const unused =
    unusedBytes === 0 ? "" : `; ${formatBytes(unusedBytes)} unused, portolan image prune frees it`;
  return `${chunkCount} chunks take ${formatBytes(storedBytes)}; sharing saves ${formatBytes(saved)}${unused}`;
}

function formatDetail(image: ImageDetail): string {
  const rows = image.partitions.map((partition) => [
    String(partition.number),
    partition.fileSystem,
    formatBytes(partition.sizeBytes),
    partition.usedBytes === null ? "-" : formatBytes(partition.usedBytes),
    printable(partition.name),
    printable(partition.note ?? ""),
  ]);
  const table =
    rows.length === 0
      ? "its partitions are not known"
      : formatTable(["partition", "file system", "size", "in use", "name", "note"], rows);
  const own = `${formatBytes(image.ownBytes)} of it are in no other image`;
  const origin = `id ${image.id}, ${image.source ?? "imported"}; ${own}`;
  const lacking =
    image.lackingChunkCount === 0
      ? []
      : [
          `${image.lackingChunkCount} chunks are not in this server's store; they are fetched from another server when they are needed, or now with portolan image fetch ${image.name}`,
        ];
  return [formatImages([image]), origin, ...lacking, table].join("\n\n");
}

/** What comes on stdin, as a file where the server reads it. */
async function keepStdin(dataDir: string): Promise<string> {
  if (process.stdin.isTTY) {
    throw new UsageError("nothing is piped in; use: COMMAND | portolan image import - NAME");
  }
  const folder = join(dataDir, "incoming");
  await mkdir(folder, { recursive: true });
  const path = join(folder, `stdin-${process.pid}.raw`);
  const file = createWriteStream(path, { mode: 0o600 });
  try {
    await pipeline(process.stdin, file);
    if (file.bytesWritten === 0) {
      throw new UsageError("nothing came on stdin; the command before it failed");
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return path;
}

function chooseFormat(path: string, given: string | undefined): "raw" | "qcow2" | "portolan" {
  const byEnding = { ".qcow2": "qcow2", ".raw": "raw", ".img": "raw", ".portolan": "portolan" } as const;
  const ending = Object.entries(byEnding).find(([name]) => name === extname(path));
  const format = given ?? ending?.[1];
  if (format !== "raw" && format !== "qcow2" && format !== "portolan") {
    throw new UsageError("say what to write with --format raw, qcow2 or portolan");
  }
  return format;
}

export const imageCommand = buildRouteMap({
  docs: { brief: "Capture, import, export, verify and remove images" },
  routes: {
    import: apiCommand<[string, string]>({
      brief: "Import a raw disk, a qcow2 or an image file from this machine; - reads a disk from stdin",
      arguments: ["FILE", "NAME"],
      flags: {
        trust: { brief: "Take an image file of the site with this fingerprint", placeholder: "HEX" },
      },
      run: async ({ client, args: [path, name], flags, isJson, stdout }) => {
        const trust = flags["trust"] === undefined ? [] : [flags["trust"]];
        const incoming = path === "-" ? await keepStdin(resolveDataDir(flags["data"])) : null;
        try {
          const body = { path: incoming ?? resolve(path), name, trust };
          const operation = await client.call("importImage", { body });
          return await followOperation(client, operation, isJson ? null : stdout);
        } finally {
          await (incoming === null ? undefined : rm(incoming, { force: true }));
        }
      },
    }),
    export: apiCommand<[string, string]>({
      brief: "Write an image to a file: raw, qcow2, or a signed image file for another site",
      arguments: ["IMAGE", "FILE"],
      flags: {
        format: {
          brief: "raw, qcow2 or portolan; by the file's ending unless said",
          placeholder: "FORMAT",
        },
      },
      run: async ({ client, args: [id, path], flags, isJson, stdout }) => {
        const body = { path: resolve(path), format: chooseFormat(path, flags["format"]) };
        const operation = await client.call("exportImage", { id, body });
        return followOperation(client, operation, isJson ? null : stdout);
      },
    }),
    remove: apiCommand<[string]>({
      brief: "Remove an image; prune then frees its chunks",
      arguments: ["IMAGE"],
      run: async ({ client, args: [id] }) => {
        const image = await client.call("removeImage", { id });
        return { json: image, text: `image ${image.name} removed; portolan image prune frees its chunks` };
      },
    }),
    prune: apiCommand({
      brief: "Free what no image names any more",
      run: async ({ client, isJson, stdout }) =>
        followOperation(client, await client.call("pruneImages"), isJson ? null : stdout),
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
    arriving: apiCommand({
      brief: "Images that are being captured; those with an id can be deployed meanwhile",
      run: async ({ client }) => {
        const images = await client.call("listArrivingImages");
        return { json: images, text: formatArriving(images) };
      },
    }),
    list: apiCommand({
      brief: "All images, and those that are still arriving",
      run: async ({ client }) => {
        const images = await client.call("listImages");
        const arriving = await client.call("listArrivingImages");
        const storage = await client.call("showStorage");
        const coming = arriving.length === 0 ? [] : [formatArriving(arriving)];
        // Programs that choose an image of this list to deploy are not given one that is not whole.
        return { json: images, text: [formatImages(images), ...coming, formatStorage(storage)].join("\n\n") };
      },
    }),
    show: apiCommand<[string]>({
      brief: "One image",
      arguments: ["IMAGE"],
      run: async ({ client, args: [id] }) => {
        const image = await client.call("showImage", { id });
        return { json: image, text: formatDetail(image) };
      },
    }),
    fetch: apiCommand<[string]>({
      brief: "Fetch what this server lacks of an image from the other servers of the site",
      arguments: ["IMAGE"],
      run: async ({ client, args: [id], isJson, stdout }) =>
        followOperation(client, await client.call("fetchImage", { id }), isJson ? null : stdout),
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
