import type { JobResource } from "#api/job-api.ts";
import type { ApiClient } from "./api-client.ts";
import { parseDiskRule } from "./restore-flags.ts";

const pollDelayMs = 500;

/**
 * Has a computer make an image of its disk, and waits until it has read the disk once: from then on the image can be
 * deployed while it comes.
 *
 * @returns the image's id, or the job when it ended without one
 */
export async function startStream(
  client: ApiClient,
  { from, image, disk }: { readonly from: string; readonly image: string; readonly disk: string | undefined },
  stdout: NodeJS.WriteStream | null,
): Promise<string | JobResource> {
  const source = await client.call("showComputer", { id: from });
  const task = {
    kind: "capture-image" as const,
    image,
    isStreamed: true,
    ...(disk === undefined ? {} : { disk: parseDiskRule(disk) }),
  };
  const { id } = await client.call("createJob", {
    body: { name: `capture ${image}`, tasks: [task], computers: [source.id] },
  });
  stdout?.write(`${source.name} reads its disk (job ${id}); then the others get what it sends\n`);
  for (;;) {
    const arriving = await client.call("listArrivingImages");
    const found = arriving.find(({ computerId, name }) => computerId === source.id && name === image);
    if (found !== undefined && found.id !== null) {
      return found.id;
    }
    const job = await client.call("showJob", { id });
    if (job.state !== "running") {
      return job.state === "done" ? (await client.call("showImage", { id: image })).id : job;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, pollDelayMs);
    });
  }
}
