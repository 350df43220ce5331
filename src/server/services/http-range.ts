/** The bytes of a file that a request asks for; both ends included. */
export type ByteRange = { readonly type: "part"; readonly first: number; readonly last: number };

/**
 * Reads a `Range` header. Several ranges at once are answered with the whole file, as RFC 9110 §14.2 allows.
 *
 * @returns `whole` without a (readable) header, `unsatisfiable` when nothing of the file is inside it.
 */
export function readRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | { readonly type: "whole" } | { readonly type: "unsatisfiable" } {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  const [, from = "", to = ""] = match ?? [];
  if (from === "" && to === "") {
    return { type: "whole" };
  }
  if (from === "") {
    const suffixBytes = Math.min(Number(to), sizeBytes);
    return suffixBytes === 0
      ? { type: "unsatisfiable" }
      : { type: "part", first: sizeBytes - suffixBytes, last: sizeBytes - 1 };
  }
  const first = Number(from);
  const last = to === "" ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== "" && Number(to) < first) {
    return { type: "whole" };
  }
  return first >= sizeBytes ? { type: "unsatisfiable" } : { type: "part", first, last };
}
