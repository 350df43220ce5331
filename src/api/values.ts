import { z } from "zod";

/** Text that came from a machine: bounded here, escaped wherever it is shown. */
export const machineText = z.string().max(256);
export const epochMs = z.number().int().nonnegative();
export const nothingSchema = z.object({ ok: z.literal(true) });

export const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string() }),
});
