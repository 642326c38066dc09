/** The range buttons of a chart, and spans chosen by hand. */
import { firstRow, widened, type Rows } from "./rows";

export const RANGES = ["1M", "6M", "YTD", "1Y", "5Y", "All"] as const;
export type Range = (typeof RANGES)[number];

const SPAN = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/;

/** The rows that a range of the address asks for: a button's, or a span "2001-01-03..2005-06-30"; else everything. */
export function rangeRows(wanted: string | null, sessions: readonly string[]): Rows {
  const last = Math.max(0, sessions.length - 1);
  const [, start, end] = SPAN.exec(wanted ?? "") ?? [];
  if (start !== undefined && end !== undefined) {
    const first = firstRow(sessions, start);
    const after = sessions.findIndex((day) => day > end);
    return widened({ first, last: after === -1 ? last : Math.max(first, after - 1) }, sessions.length);
  }
  const begin = isRange(wanted) ? rangeStart(wanted, sessions.at(-1) ?? "") : null;
  return { first: firstRow(sessions, begin), last };
}

/** The span of these rows as it stands in the address. */
export function rangeText({ first, last }: Rows, sessions: readonly string[]): string {
  return `${sessions[first] ?? ""}..${sessions[last] ?? ""}`;
}

export function isRange(text: string | null): text is Range {
  return RANGES.some((range) => range === text);
}

/** First day of a range that ends with a session; null: everything. */
export function rangeStart(range: Range, last: string): string | null {
  switch (range) {
    case "All":
      return null;
    case "YTD":
      return `${last.slice(0, 4)}-01-01`;
    case "1M":
      return monthsBefore(last, 1);
    case "6M":
      return monthsBefore(last, 6);
    case "1Y":
      return monthsBefore(last, 12);
    case "5Y":
      return monthsBefore(last, 60);
  }
}

/** The same day so many months earlier, or the last one of that month where it is shorter. */
function monthsBefore(day: string, months: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const lastOfMonth = new Date(Date.UTC(year, month - months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 - months, Math.min(date, lastOfMonth))).toISOString().slice(0, 10);
}
