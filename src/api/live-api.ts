import { z } from "zod";
import { bootEventSchema } from "./boot-api.ts";
import { computerSchema } from "./computer-api.ts";
import { jobSchema, runSchema } from "./job-api.ts";
import { sessionSchema } from "./session-api.ts";

/** Where live events are: a WebSocket. `?after=SEQUENCE&epoch=EPOCH` goes on where an earlier one ended. */
export const livePath = "/api/v1/events";

/** The protocol the server answers with. A browser also offers `portolan.proof.…`, since it cannot send a header. */
export const liveProtocol = "portolan.v1";
export const liveProofPrefix = "portolan.proof.";

/** What happened, with the resource as the API would show it now. */
export const liveEventSchema = z.discriminatedUnion("type", [
  /** First. `isResumed` false: read everything again, something may have been missed. */
  z.object({
    type: z.literal("hello"),
    epoch: z.string(),
    sequence: z.number(),
    isResumed: z.boolean(),
  }),
  z.object({ type: z.literal("computer"), sequence: z.number(), computer: computerSchema }),
  z.object({ type: z.literal("computer-removed"), sequence: z.number(), id: z.string() }),
  z.object({ type: z.literal("job"), sequence: z.number(), job: jobSchema }),
  /** Runs of a job that changed; the others are as they were. */
  z.object({
    type: z.literal("runs"),
    sequence: z.number(),
    jobId: z.string(),
    state: jobSchema.shape.state,
    runs: z.array(runSchema),
  }),
  z.object({ type: z.literal("session"), sequence: z.number(), session: sessionSchema }),
  z.object({ type: z.literal("boot-event"), sequence: z.number(), event: bootEventSchema }),
  /** Something else changed; `area` is the first word of its routes' paths. */
  z.object({ type: z.literal("changed"), sequence: z.number(), area: z.string() }),
]);
export type LiveEvent = z.infer<typeof liveEventSchema>;
