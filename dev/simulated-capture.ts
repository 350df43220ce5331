import { setTimeout as delay } from "node:timers/promises";
import type { TaskContext, TaskOutcome } from "#agent/task.ts";

const stepCount = 600;
const stepBytes = 4_000_000;
const stepDelayMs = 500;

/** Tells for five minutes how a disk is read, and in the end that there is none: nothing ever comes of it. */
export async function simulateCapture({ report, signal }: TaskContext): Promise<TaskOutcome> {
  for (let step = 1; step <= stepCount && !signal.aborted; step += 1) {
    const totalBytes = stepCount * stepBytes;
    report({ doneBytes: step * stepBytes, totalBytes, transport: "unicast", stage: "capturing" });
    await delay(stepDelayMs);
  }
  return { outcome: "failed", reason: "a simulated computer has no disk to send" };
}
