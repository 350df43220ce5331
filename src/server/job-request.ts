import { randomBytes } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import type { JobRequest } from "#api/job-api.ts";
import type { TaskRequest } from "#api/task-schema.ts";
import { checkTimeZone, ScheduleError } from "#engine/job/calendar.ts";
import { parseCodeAction, parseCodes, type CodeRule } from "#engine/job/code-rule.ts";
import { type Condition, type FactName, parseFactTest } from "#engine/job/condition.ts";
import type { Job, Task, TaskContent, TaskRules, TaskWork } from "#engine/job/job.ts";
import { parseWindow } from "#engine/job/maintenance-window.ts";
import { checkSchedule, type Schedule } from "#engine/job/schedule.ts";
import { orderByDependency, PackageError } from "#engine/package/package.ts";
import type { ImageStore } from "#store/image-store.ts";
import type { PackageStore, StoredPackage } from "#store/package-store.ts";
import type { Scope } from "./accounts/scope.ts";
import { ApiError } from "./api-error.ts";
import type { ChunkStore } from "./chunk-store.ts";
import type { ComputerRegistry } from "./computer-registry.ts";
import { importFile } from "./content-import.ts";
import { type InstallerSources, readInstallerTask } from "./installer-request.ts";

/** Where the things are that a job names. */
export type JobSources = InstallerSources & {
  readonly images: Pick<ImageStore, "find">;
  /** By its whole id: one that is being captured. Its name may be that of an older image still. */
  readonly findArriving: (imageId: string) => { readonly id: string; readonly name: string } | undefined;
  readonly packages: PackageStore;
  readonly chunks: ChunkStore;
  readonly registry: Pick<ComputerRegistry, "require">;
  readonly scope: Scope;
  /** Whether files of the server's own machine may be named: the server reads what no account of that machine may. */
  readonly mayNameFiles: boolean;
  readonly nowMs: number;
};

function refuse(message: string): never {
  throw new ApiError(400, "bad-request", message);
}

/**
 * A job as it is kept: everything it names is found and fixed now, files are taken into the store.
 *
 * @throws ApiError, StoreError `not-found`, when something it names is not there
 */
export async function readJobRequest(request: JobRequest, sources: JobSources): Promise<Job> {
  const conditions = [];
  for (const { name, when, tasks } of request.conditions) {
    conditions.push({ name, when: readCondition(when), tasks: await readTasks(tasks, sources) });
  }
  const schedule = readSchedule(request, sources.nowMs);
  return {
    id: `j-${randomBytes(4).toString("hex")}`,
    name: request.name,
    createdAtMs: sources.nowMs,
    conditions,
    tasks: await readTasks(request.tasks, sources),
    schedule,
    windows: readWindows(request),
    concurrency: request.concurrency ?? null,
  };
}

function readCondition(when: JobRequest["conditions"][number]["when"]): Condition {
  const groups = Array.isArray(when) ? when : [when];
  return groups.map((group) =>
    Object.entries(group).flatMap(([fact, written]) =>
      written === undefined ? [] : [{ fact: fact as FactName, test: parseFactTest(written) }],
    ),
  );
}

function readSchedule({ schedule }: JobRequest, nowMs: number): Schedule | null {
  if (schedule === undefined) {
    return null;
  }
  const { at, timeZone, repeat, everyMs } = schedule;
  const read: Schedule = {
    at: at === undefined ? null : at.replace(" ", "T"),
    timeZone,
    repeat:
      repeat !== undefined
        ? { type: "calendar", pattern: repeat }
        : everyMs !== undefined
          ? { type: "interval", everyMs }
          : null,
  };
  asRequest(() => checkSchedule(read, nowMs), "schedule");
  return read;
}

function readWindows({ windows, windowTimeZone, schedule }: JobRequest): Job["windows"] {
  const timeZone = windowTimeZone ?? schedule?.timeZone ?? "UTC";
  asRequest(() => checkTimeZone(timeZone), "windowTimeZone");
  return windows.map(
    (text) => parseWindow(text, timeZone) ?? refuse(`windows: ${JSON.stringify(text)} is no window`),
  );
}

function asRequest(check: () => void, field: string): void {
  try {
    check();
  } catch (error) {
    if (error instanceof ScheduleError) {
      refuse(`${field}: ${error.message}`);
    }
    throw error;
  }
}

async function readTasks(requests: readonly TaskRequest[], sources: JobSources): Promise<Task[]> {
  const tasks: Task[] = [];
  for (const request of requests) {
    const works = await readWorks(request, sources);
    for (const [index, work] of works.entries()) {
      // What a package depends on comes before it; jumps and return codes are the wanted one's own, a name the first's.
      tasks.push({ ...work, ...readRules(request, index === 0, index === works.length - 1) });
    }
  }
  return tasks;
}

function readRules({ name, codes, retry }: TaskRequest, isFirst: boolean, isLast: boolean): TaskRules {
  const rules = Object.entries(codes ?? {}).map(([text, action]): CodeRule => {
    const read = parseCodes(text);
    const parsed = parseCodeAction(action);
    return read === null || parsed === null
      ? refuse(`codes: ${text}: ${action} is no rule`)
      : { codes: read, action: parsed };
  });
  return {
    ...(name === undefined || !isFirst ? {} : { name }),
    ...(rules.length === 0 || !isLast ? {} : { codes: rules }),
    ...(retry === undefined ? {} : { retry }),
  };
}

/** Usually one; a package brings those it depends on. */
async function readWorks(request: TaskRequest, sources: JobSources): Promise<TaskWork[]> {
  switch (request.kind) {
    case "deploy-image": {
      const image = sources.findArriving(request.image) ?? (await sources.images.find(request.image));
      const { kind, disk, options } = request;
      const isExact = options === undefined;
      return [{ kind, imageId: image.id, imageName: image.name, disk, ...(isExact ? {} : { options }) }];
    }
    case "deploy-installer":
      return [await readInstallerTask(request, sources)];
    case "capture-image": {
      const { kind, image, disk, isForced, isStreamed } = request;
      return [{ kind, imageName: image, disk, isForced, isStreamed }];
    }
    case "run-script": {
      const { kind, script, interpreter, environment, timeoutMs, isRepeatable } = request;
      return script === undefined
        ? refuse("scriptFile is read by the command line; send script")
        : [{ kind, script, interpreter, environment, timeoutMs, isRepeatable }];
    }
    case "install-package":
      return (await findWithDependencies(request.package, sources)).map(toInstall);
    case "uninstall-package": {
      const { definition } = await sources.packages.find(request.package);
      const { name, kind, uninstall, detection, timeoutMs } = definition;
      return [
        {
          ...{ kind: request.kind, packageName: name, packageKind: kind },
          ...{ command: uninstall, detection, timeoutMs },
        },
      ];
    }
    case "copy-file":
      return [await readCopy(request, sources)];
    case "set-configuration": {
      const { kind, hostName = null, domain = null, network } = request;
      return [{ kind, hostName, domain, network: network === undefined ? null : readNetwork(network) }];
    }
    case "capture-user-data": {
      const { kind, data, paths, exclude } = request;
      return [{ kind, name: data, paths, exclude }];
    }
    case "restore-user-data": {
      const { kind, data, from } = request;
      const fromComputerId = from === undefined ? null : sources.registry.require(from).id;
      sources.scope.requireComputers(fromComputerId === null ? [] : [fromComputerId]);
      return [{ kind, name: data, fromComputerId }];
    }
    case "wait":
      return [{ kind: request.kind, durationMs: request.durationMs }];
    case "inventory":
    case "wake":
    case "restart":
    case "power-off":
      return [{ kind: request.kind }];
  }
}

function readNetwork(
  network: NonNullable<Extract<TaskRequest, { kind: "set-configuration" }>["network"]>,
): NonNullable<Extract<TaskWork, { kind: "set-configuration" }>["network"]> {
  const interfaceName = network.interfaceName ?? null;
  return network.type === "dhcp"
    ? { type: network.type, interfaceName }
    : {
        ...{ type: network.type, interfaceName, address: network.address },
        gateway: network.gateway ?? null,
        nameServers: network.nameServers,
      };
}

async function findWithDependencies(word: string, { packages }: JobSources): Promise<StoredPackage[]> {
  const wanted = await packages.find(word);
  const all = await packages.list();
  try {
    return orderByDependency(
      wanted,
      (name) => all.find(({ definition }) => definition.name === name) ?? null,
    );
  } catch (error) {
    if (error instanceof PackageError) {
      refuse(error.message);
    }
    throw error;
  }
}

function toInstall({ definition, contentId, sizeBytes }: StoredPackage): TaskWork {
  const { name, version, kind, fileName, args, detection, timeoutMs } = definition;
  return {
    ...{ kind: "install-package", packageName: name, version, packageKind: kind, fileName, args },
    ...{ detection, timeoutMs, content: { contentId, sizeBytes } },
  };
}

async function readCopy(
  request: Extract<TaskRequest, { kind: "copy-file" }>,
  sources: JobSources,
): Promise<TaskWork> {
  const { kind, source, content, destination, mode, environment } = request;
  if (source !== undefined) {
    sources.scope.requireWholeSite("source: a file of the server is the whole site's; send content instead");
    if (!sources.mayNameFiles) {
      const detail = "source: naming a file of the server needs the role administrator; send content instead";
      throw new ApiError(403, "forbidden", detail);
    }
  }
  const isAbsolutePath = isAbsolute(destination) || /^[A-Za-z]:[\\/]/.test(destination);
  if (!isAbsolutePath) {
    refuse(`destination: ${destination} is no absolute path`);
  }
  return {
    ...{ kind, destination, environment, source: source ?? "a text of the job" },
    content: source === undefined ? await keepText(content ?? "", sources) : await keepFile(source, sources),
    mode: mode === undefined ? null : Number.parseInt(mode, 8),
  };
}

async function keepFile(path: string, sources: JobSources): Promise<TaskContent | null> {
  if (!isAbsolute(path)) {
    refuse(`source: ${path} is no absolute path on the server`);
  }
  const status = await stat(path).catch(() => refuse(`source: ${path} is not on the server`));
  if (!status.isFile()) {
    refuse(`source: ${path} is no file; make a package of a folder`);
  }
  if (status.size === 0) {
    return null;
  }
  return importFile(sources, { path, name: "file" }, sources.nowMs, () => undefined);
}

async function keepText(text: string, sources: JobSources): Promise<TaskContent | null> {
  if (text === "") {
    return null;
  }
  const folder = await mkdtemp(join(tmpdir(), "portolan-text-"));
  try {
    const path = join(folder, "text");
    await writeFile(path, text);
    return await keepFile(path, sources);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
