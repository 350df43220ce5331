import { printable } from "./printable-text.ts";

/** Columns as wide as their longest cell; the last one is not padded. Cells are made safe for a terminal. */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const safeRows = rows.map((row) => row.map(printable));
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...safeRows.map((row) => (row[column] ?? "").length)),
  );
  const formatRow = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === headers.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [formatRow(headers.map((header) => header.toUpperCase())), ...safeRows.map(formatRow)].join("\n");
}
