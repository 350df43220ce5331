import type { Task } from "#engine/job/job.ts";

export const image: Task = {
  kind: "deploy-image",
  imageId: "i".repeat(64),
  imageName: "room",
  disk: "only-disk",
};
export const script: Task = {
  kind: "run-script",
  script: "true",
  interpreter: "/bin/sh",
  environment: "os",
  timeoutMs: 60_000,
};
export const installer: Task = {
  ...{ kind: "deploy-installer", installerName: "debian", kernelSizeBytes: 500, commandLine: "" },
  ...{ content: { contentId: "k".repeat(64), sizeBytes: 1000 }, answers: null, domain: null },
  timeoutMs: 3_600_000,
};
const fileContent = { contentId: "f".repeat(64), sizeBytes: 1000 };
/** Every kind that this world knows: an image, a package, a failing script that jumps, waiting, a restart. */
export const wholeStory: readonly Task[] = [
  { kind: "wake" },
  image,
  { kind: "inventory" },
  {
    kind: "install-package",
    packageName: "tool",
    version: "1",
    packageKind: "deb",
    fileName: "tool.deb",
    args: [],
    detection: { type: "record" },
    timeoutMs: 60_000,
    content: fileContent,
  },
  {
    ...script,
    script: "exit 7",
    codes: [{ codes: { from: 7, to: 7 }, action: { type: "jump", taskName: "after" } }],
  },
  { ...script, script: "never" },
  { kind: "wait", durationMs: 45_000, name: "after" },
  {
    kind: "copy-file",
    content: fileContent,
    source: "f",
    destination: "/f",
    mode: null,
    environment: "os",
  },
  { kind: "restart" },
  script,
];
