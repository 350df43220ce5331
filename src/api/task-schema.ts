import { z } from "zod";
import { kernelCommandLine } from "./installer-api.ts";
import { durationMs, taskRules } from "./job-values.ts";

/** How a task names the disk it writes. Never by kernel order. */
export const diskRuleSchema = z.union([
  z.literal("only-disk"),
  z.object({ serial: z.string().min(1).max(128) }).strict(),
  z.object({ wwn: z.string().min(1).max(128) }).strict(),
  z.object({ model: z.string().min(1).max(128) }).strict(),
  z.object({ byPath: z.string().min(1).max(256) }).strict(),
  z.object({ sizeBytes: z.number().int().positive() }).strict(),
]);

const ipv4 = z.ipv4();

/** What makes a restored computer itself. Machine id and SSH host keys are always made anew with it. */
const identitySchema = z
  .object({
    /** May hold `{name}`, `{serial}` and `{mac}` of the computer; `null`: the image's stays. */
    hostName: z.string().min(1).max(128).nullable().default("{name}"),
    /** Fixed addresses, by computer id or name. Without one the image's settings stay. */
    addresses: z
      .record(
        z.string(),
        z
          .object({
            address: ipv4,
            prefixLength: z.number().int().min(1).max(32),
            gateway: ipv4.nullable().default(null),
            nameServers: z.array(ipv4).max(8).default([]),
          })
          .strict(),
      )
      .default({}),
    /** Answer file for a prepared Windows. */
    unattend: z
      .string()
      .max(256 << 10)
      .nullable()
      .default(null),
  })
  .strict();

/** What is done to a disk beyond the image itself. */
export const restoreSchema = z
  .object({
    /** The partition that takes the difference in size between the image's disk and the target. */
    resize: z
      .object({
        partition: z.union([z.literal("last"), z.number().int().min(1).max(128)]).default("last"),
        mayShrink: z.boolean().default(true),
      })
      .strict()
      .nullable()
      .default(null),
    hasNewIds: z.boolean().default(false),
    hasBootEntry: z.boolean().default(false),
    identity: identitySchema.nullable().default(null),
  })
  .strict();

const dayMs = 24 * 3_600_000;
const path = z.string().min(1).max(4096);
const word = z.string().min(1).max(128);
const environment = z.enum(["preboot", "os"]).default("os");

const imageTasks = [
  z
    .object({
      kind: z.literal("deploy-image"),
      image: word.describe("Name or id of an image."),
      disk: diskRuleSchema.default("only-disk"),
      options: restoreSchema.optional().describe("What is done beyond writing the image."),
      ...taskRules,
    })
    .strict(),
  z
    .object({
      kind: z.literal("capture-image"),
      image: word.describe("Name of the image that is made."),
      disk: diskRuleSchema.default("only-disk"),
      isForced: z.boolean().default(false).describe("Obstacles are noted in the image instead of stopping."),
      isStreamed: z
        .boolean()
        .default(false)
        .describe("The image can be deployed while it comes: the disk is read twice for it."),
      ...taskRules,
    })
    .strict(),
  z
    .object({
      kind: z.literal("deploy-installer"),
      installer: word.describe("Name or id of an installer of the store."),
      answers: z
        .string()
        .max(128 << 10)
        .optional()
        .describe(
          "The installer's answer file, with variables such as {{name}}. It is kept secret: it is never shown again.",
        ),
      answersFile: path.optional().describe("Read by the command line, relative to the job file."),
      answersName: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "is a file name of letters, digits and . _ - only")
        .default("preseed.cfg")
        .describe("Name that the installer finds it by, at the root of its initrd."),
      commandLine: kernelCommandLine.default("").describe("Of the kernel, beside the installer's own."),
      domain: z.string().min(1).max(253).optional().describe("What {{domain}} stands for."),
      timeoutMs: durationMs(dayMs)
        .default(2 * 3_600_000)
        .describe("From the installer's start to the connection of the agent that it installs."),
      ...taskRules,
    })
    .strict(),
] as const;

const softwareTasks = [
  z
    .object({
      kind: z.literal("run-script"),
      script: z.string().min(1).max(65_536).optional(),
      scriptFile: path.optional().describe("Read by the command line, relative to the job file."),
      interpreter: z.string().max(128).default("/bin/sh"),
      environment,
      timeoutMs: durationMs(dayMs).default(600_000),
      isRepeatable: z
        .boolean()
        .default(false)
        .describe("May be begun again when a restart swallowed its outcome."),
      ...taskRules,
    })
    .strict(),
  z
    .object({
      kind: z.literal("install-package"),
      package: word.describe("Name, or name=version. What it depends on is installed first."),
      ...taskRules,
    })
    .strict(),
  z.object({ kind: z.literal("uninstall-package"), package: word, ...taskRules }).strict(),
  z
    .object({
      kind: z.literal("copy-file"),
      source: path.optional().describe("A file on the server; relative to the job file on the command line."),
      content: z.string().max(65_536).optional().describe("Instead of source: the text itself."),
      destination: path.describe("Absolute path on the computer."),
      mode: z
        .string()
        .regex(/^0?[0-7]{3,4}$/, "is octal, such as 0755")
        .optional()
        .describe("Permissions: 0755."),
      environment,
      ...taskRules,
    })
    .strict(),
] as const;

const systemTasks = [
  z
    .object({
      kind: z.literal("set-configuration"),
      hostName: z.string().min(1).max(128).optional().describe("May hold {name}, {serial} and {mac}."),
      domain: z.string().min(1).max(253).optional(),
      network: z
        .discriminatedUnion("type", [
          z.object({ type: z.literal("dhcp"), interfaceName: z.string().max(15).optional() }).strict(),
          z
            .object({
              type: z.literal("static"),
              interfaceName: z.string().max(15).optional(),
              address: z.cidrv4().describe("With prefix: 10.0.0.5/24."),
              gateway: ipv4.optional(),
              nameServers: z.array(ipv4).max(8).default([]),
            })
            .strict(),
        ])
        .optional(),
      ...taskRules,
    })
    .strict(),
  z.object({ kind: z.literal("inventory"), ...taskRules }).strict(),
  z
    .object({
      kind: z.literal("capture-user-data"),
      data: word.default("default").describe("Under which name it is kept."),
      paths: z.array(path).min(1).max(256),
      exclude: z.array(path).max(256).default([]),
      ...taskRules,
    })
    .strict(),
  z
    .object({
      kind: z.literal("restore-user-data"),
      data: word.default("default"),
      from: word.optional().describe("Another computer, by id or name; its own otherwise."),
      ...taskRules,
    })
    .strict(),
  z.object({ kind: z.literal("wake"), ...taskRules }).strict(),
  z.object({ kind: z.literal("restart"), ...taskRules }).strict(),
  z.object({ kind: z.literal("power-off"), ...taskRules }).strict(),
  z.object({ kind: z.literal("wait"), durationMs: durationMs(30 * dayMs), ...taskRules }).strict(),
] as const;

export const taskSchema = z.discriminatedUnion("kind", [...imageTasks, ...softwareTasks, ...systemTasks]);
export type TaskRequest = z.output<typeof taskSchema>;
