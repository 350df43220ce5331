import type { Facts } from "./condition.ts";
import type { Environment, Task } from "./job.ts";
import type { Connection, Run } from "./run.ts";

/** What an agent still knows about a task it was given since its process began. */
export type TaskReport = {
  readonly key: string;
  readonly outcome: "running" | "done" | "failed";
  /** Of a failure. Untrusted text. */
  readonly reason: string | null;
  readonly exitCode?: number;
};

/** Something happened that a run has to know. */
export type RunEvent =
  /** Nothing else is in the way of this run. The connection is the computer's of this moment. */
  | {
      readonly type: "start";
      /** Of its computer at this moment: they choose its tasks. */
      readonly facts: Facts;
      readonly connection: Connection | null;
      readonly reports: readonly TaskReport[];
    }
  | { readonly type: "connected"; readonly connection: Connection; readonly reports: readonly TaskReport[] }
  | { readonly type: "disconnected" }
  /** The boot services answered this computer: it is alive and on its way. */
  | { readonly type: "boot-offered" }
  | {
      readonly type: "task-progress";
      readonly key: string;
      readonly doneBytes: number;
      readonly totalBytes: number;
      readonly transport: "multicast" | "unicast" | null;
      readonly stage: string | null;
    }
  | {
      readonly type: "task-result";
      readonly key: string;
      readonly outcome: "done" | "failed";
      readonly reason: string | null;
      readonly exitCode?: number;
    }
  | { readonly type: "session-joined"; readonly joined: number; readonly expected: number }
  | { readonly type: "session-started" }
  | { readonly type: "session-failed"; readonly reason: string }
  | { readonly type: "timer" }
  | { readonly type: "cancel"; readonly by: string }
  /** What runs goes on to its end; the task after it begins no earlier. */
  | { readonly type: "defer"; readonly untilMs: number }
  /** This run was read from the store by a server that just started. */
  | { readonly type: "server-restarted" };

/** What the world has to do for a run. Acted on only after the run was stored. Each may be repeated safely. */
export type RunEffect =
  | { readonly type: "wake"; readonly computerId: string }
  | { readonly type: "send-task"; readonly computerId: string; readonly key: string; readonly task: Task }
  | { readonly type: "cancel-task"; readonly computerId: string; readonly key: string }
  | {
      readonly type: "request-restart";
      readonly computerId: string;
      readonly key: string;
      readonly into: Environment;
    }
  /** The installer is in its memory; from here on its disk may be written. */
  | { readonly type: "start-installer"; readonly computerId: string; readonly key: string }
  | {
      readonly type: "join-session";
      readonly sessionKey: string;
      readonly computerId: string;
      readonly taskKey: string;
      readonly task: Task;
      /** The agent is already at work on this task: hand it the session, not the task. */
      readonly isResumed: boolean;
    }
  | {
      readonly type: "leave-session";
      readonly sessionKey: string;
      readonly computerId: string;
      readonly why: "finished" | "failed" | "cancelled";
    }
  /** Nobody stores anything for this task any more. */
  | { readonly type: "end-upload"; readonly computerId: string; readonly taskKey: string }
  /** Belongs into the same transaction as the run. */
  | { readonly type: "record-deployment"; readonly computerId: string; readonly imageId: string };

/** What became of an event. `ignored` says why nothing changed. */
export type RunStep = {
  readonly run: Run;
  readonly effects: readonly RunEffect[];
  /** Progress alone need not survive the server; everything else does. */
  readonly mustStore: boolean;
  readonly ignored:
    | "run-is-over"
    | "not-started"
    | "already-started"
    | "stale-key"
    | "nothing-due"
    | "no-use"
    | null;
};
