import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import { LineCounter, parseDocument } from "yaml";
import { createJobSchema, type JobRequest } from "#api/job-api.ts";
import { UsageError } from "../cli-context.ts";
import { explainIssue } from "./explain-issue.ts";
import { type Locate, locateInToml, locateInYaml } from "./locate.ts";

/** Complaints shown at once; the rest is said to be there. */
const complaintCountMax = 10;

function complain(path: string, line: number | null, what: string): string {
  return `${path}${line === null ? "" : `:${line}`}: ${what}`;
}

/** A job file as a value, and where its parts stand. @throws UsageError with file and line */
function parse(path: string, text: string): { readonly raw: unknown; readonly locate: Locate } {
  if (path.endsWith(".toml")) {
    try {
      return { raw: parseToml(text), locate: locateInToml(text) };
    } catch (error) {
      if (error instanceof TomlError) {
        const [message = ""] = error.message.split("\n");
        throw new UsageError(complain(path, error.line, message));
      }
      throw error;
    }
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    throw new UsageError(complain(path, lines.linePos(error.pos[0]).line, error.message));
  }
  return { raw: document.toJS(), locate: locateInYaml(document, lines) };
}

/** `tasks[1].codes`, as people write it. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}

/** @throws UsageError that lists what is wrong, with lines */
export function parseJobFile(path: string, text: string): JobRequest {
  const { raw, locate } = parse(path, text);
  const parsed = createJobSchema.safeParse(raw);
  if (parsed.success) {
    return parsed.data;
  }
  const ofShape = parsed.error.issues.filter(({ code }) => code !== "custom");
  // What does not fit together is worth saying once the parts are right.
  const issues = ofShape.length > 0 ? ofShape : parsed.error.issues;
  const complaints = issues
    .map((issue) => {
      const { message, key } = explainIssue(issue, raw, createJobSchema);
      const where = formatPath(issue.path);
      return { line: locate(issue.path, key), text: where === "" ? message : `${where}: ${message}` };
    })
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    .map(({ line, text }) => complain(path, line, text));
  const more = complaints.length - complaintCountMax;
  throw new UsageError(
    [...complaints.slice(0, complaintCountMax), ...(more > 0 ? [`and ${more} more`] : [])].join("\n"),
  );
}

/**
 * A job from a YAML, TOML or JSON file. Scripts and files that it names relative to itself are found from its folder.
 *
 * @throws UsageError that names file and line
 */
export async function readJobFile(path: string): Promise<JobRequest> {
  const job = parseJobFile(path, await readText(path));
  const folder = dirname(resolve(path));
  const complete = async (task: JobRequest["tasks"][number]): Promise<JobRequest["tasks"][number]> => {
    if (task.kind === "run-script" && task.scriptFile !== undefined) {
      const { scriptFile, ...rest } = task;
      return { ...rest, script: await readText(resolve(folder, scriptFile)) };
    }
    if (task.kind === "deploy-installer" && task.answersFile !== undefined) {
      const { answersFile, ...rest } = task;
      return { ...rest, answers: await readText(resolve(folder, answersFile)) };
    }
    return task.kind === "copy-file" && task.source !== undefined
      ? { ...task, source: resolve(folder, task.source) }
      : task;
  };
  const conditions = [];
  for (const condition of job.conditions) {
    conditions.push({ ...condition, tasks: await Promise.all(condition.tasks.map(complete)) });
  }
  return { ...job, tasks: await Promise.all(job.tasks.map(complete)), conditions };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(
      `${path} could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
