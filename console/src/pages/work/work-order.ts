import type { JobResource } from "#api/job-api.ts";
import type { RouteBody } from "#api/contract.ts";
import type { ImageResource } from "#api/image-api.ts";
import type { InstallerResource } from "#api/installer-api.ts";
import { text } from "../../text/text.ts";
import type { IconName } from "../../ui/icon.tsx";
import { emptyInstallation, type Installation, toInstallerTask } from "./installation.ts";

/** Something that can be ordered for computers: a new job, or an existing one for more of them. */
export type WorkOrder =
  | { readonly type: "deploy"; readonly image: Pick<ImageResource, "id" | "name" | "sizeBytes"> }
  | { readonly type: "install"; readonly installer: Pick<InstallerResource, "id" | "name"> }
  | { readonly type: "restart" }
  | { readonly type: "power-off" }
  | { readonly type: "script" }
  | {
      readonly type: "assign";
      readonly jobId: string;
      readonly name: string;
      readonly isDestructive: boolean;
    };

type TaskRequest = NonNullable<RouteBody<"createJob">["tasks"]>[number];

export type WorkTemplate = { readonly id: string; readonly icon: IconName; readonly order: WorkOrder };

/** What the jobs pane offers to drag onto computers. */
export function listTemplates(
  images: readonly ImageResource[],
  installers: readonly InstallerResource[],
): WorkTemplate[] {
  return [
    ...images.map((image) => ({
      id: `deploy:${image.id}`,
      icon: "image" as const,
      order: { type: "deploy" as const, image },
    })),
    ...installers.map((installer) => ({
      id: `install:${installer.id}`,
      icon: "download" as const,
      order: { type: "install" as const, installer },
    })),
    { id: "script", icon: "terminal", order: { type: "script" } },
    { id: "restart", icon: "boot", order: { type: "restart" } },
    { id: "power-off", icon: "power", order: { type: "power-off" } },
  ];
}

export function titleOf(order: WorkOrder): string {
  switch (order.type) {
    case "deploy":
      return text.work.deploy(order.image.name);
    case "install":
      return text.work.install(order.installer.name);
    case "restart":
      return text.work.restart;
    case "power-off":
      return text.work.powerOff;
    case "script":
      return text.work.script;
    case "assign":
      return order.name;
  }
}

export function isDestructive(order: WorkOrder): boolean {
  return (
    order.type === "deploy" || order.type === "install" || (order.type === "assign" && order.isDestructive)
  );
}

/** What is typed into the dialog of an order. */
export type TypedWork = { readonly script: string; readonly installation: Installation };

export const nothingTyped: TypedWork = { script: "", installation: emptyInstallation };

/** The job of a new order. */
export function toTasks(order: Exclude<WorkOrder, { type: "assign" }>, typed: TypedWork): TaskRequest[] {
  switch (order.type) {
    case "deploy":
      return [{ kind: "deploy-image", image: order.image.id, disk: "only-disk" }];
    case "install":
      return [toInstallerTask(order.installer.id, typed.installation)];
    case "restart":
    case "power-off":
      return [{ kind: order.type }];
    case "script":
      return [
        {
          kind: "run-script",
          script: typed.script,
          interpreter: "/bin/sh",
          environment: "os",
          timeoutMs: 600_000,
        },
      ];
  }
}

/** Whether any of its tasks does, those of its conditions included. */
export function erasesDisks({ tasks, conditions }: JobResource): boolean {
  return [tasks, ...conditions.map((condition) => condition.tasks)]
    .flat()
    .some(
      (task) =>
        typeof task === "object" &&
        task !== null &&
        "kind" in task &&
        (task.kind === "deploy-image" || task.kind === "deploy-installer"),
    );
}

/** The same job for more computers. */
export function assignOrder(job: JobResource): WorkOrder {
  return { type: "assign", jobId: job.id, name: job.name, isDestructive: erasesDisks(job) };
}
