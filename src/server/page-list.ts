/** One page of a list, in the order of its key: what comes and goes meanwhile makes nobody miss or see twice another. */
export type Page = {
  readonly items: readonly unknown[];
  readonly totalCount: number;
  /** Key of the last item when more follow. */
  readonly next: string | null;
};

type Key = string | number;

/** @param pagedBy the field whose value names an item; unique. */
export function cutPage(
  items: readonly unknown[],
  pagedBy: string,
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
): Page {
  // The contract lists only fields that are text or numbers.
  const keyOf = (item: unknown): Key => (item as Record<string, Key>)[pagedBy] ?? "";
  const sorted = items.toSorted((left, right) => compareKeys(keyOf(left), keyOf(right)));
  const first = after === undefined ? 0 : sorted.findIndex((item) => compareKeys(keyOf(item), after) > 0);
  const start = first === -1 ? sorted.length : first;
  const page = sorted.slice(start, start + limit);
  const last = page.at(-1);
  const hasMore = start + page.length < sorted.length;
  return {
    items: page,
    totalCount: sorted.length,
    next: hasMore && last !== undefined ? String(keyOf(last)) : null,
  };
}

function compareKeys(left: Key, right: Key): number {
  if (typeof left === "number") {
    return left - Number(right);
  }
  const text = String(right);
  return left < text ? -1 : left > text ? 1 : 0;
}

/** RFC 8288: where the next page is. */
export function formatNextLink(url: string, next: string): string {
  const address = new URL(url, "https://server.invalid");
  address.searchParams.set("after", next);
  return `<${address.pathname}${address.search}>; rel="next"`;
}
