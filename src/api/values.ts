import { z } from "zod";

/** Text that came from a machine: bounded here, escaped wherever it is shown. */
export const machineText = z.string().max(256);
export const epochMs = z.number().int().nonnegative();
export const nothingSchema = z.object({ ok: z.literal(true) });

/** RFC 9457, `application/problem+json`: every answer that is no success. */
export const problemSchema = z.object({
  /** Always `about:blank`: `code` says which problem it is, and `title` repeats the status. */
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  /** For people: names the thing and the way out. */
  detail: z.string(),
  /** For programs; does not change. */
  code: z.string(),
});
export type Problem = z.infer<typeof problemSchema>;
