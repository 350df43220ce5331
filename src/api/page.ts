import { z } from "zod";

/** Asks for a list in pages; without `limit` it comes whole. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  /** The last item of the page before: its header `link` names the next page whole. */
  after: z.string().max(128).optional(),
};

export const pageSchema = z.object(pageQuery).strict();
