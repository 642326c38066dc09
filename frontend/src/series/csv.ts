/** A table as CSV (RFC 4180), every digit kept. */
export type Cell = string | number | boolean | null | undefined;

export function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
}

function quoted(cell: Cell): string {
  const text = cell === null || cell === undefined ? "" : String(cell);
  // A spreadsheet takes text that begins so for a formula, and runs it.
  const safe = typeof cell === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
